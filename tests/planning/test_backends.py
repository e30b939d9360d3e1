"""What an endpoint can do is decided by what answered there, and until something has by its file."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.backends import BACKENDS
from dtnctl.model.plan import UpdateContainer
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.planning.resolve import resolve_services
from tests.planning.building import NOW, applied, plan, site

TEXT = "# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nsettings: {memory: 1GiB}\n"


def test_each_service_has_the_row_of_what_answered_on_its_endpoint() -> None:
    answering = {"a": EndpointSeen("a", backend="Kubernetes"), "b": EndpointSeen("b")}
    assert [item.backend.name for item in resolve_services(site(TEXT), NOW, answering)] == ["Kubernetes", "Docker"]
    assert [item.backend.name for item in resolve_services(site(TEXT), NOW)] == ["Docker", "Docker"]


def test_what_one_backend_changes_in_place_another_one_replaces() -> None:
    seen = applied(site(TEXT)).observe()
    here = replace(seen.endpoints["a"], backend="Kubernetes")
    found = plan(site(TEXT.replace("1GiB", "2GiB")), Snapshot({**seen.endpoints, "a": here}))
    assert any(isinstance(step.action, UpdateContainer) for step in found.steps if step.endpoint == "b")
    assert not any(isinstance(step.action, UpdateContainer) for step in found.steps if step.endpoint == "a")
    assert {change.endpoint: change.mark for change in found.changes} == {"a": "replace", "b": "update"}


def test_each_row_answers_for_every_set_of_networks() -> None:
    chosen = {
        name: (row.routed(()), row.routed(("a", "bridge")), row.own_interfaces(("0123456789abcdef",))) for name, row in BACKENDS.items()
    }
    assert chosen["Docker"] == ("", "a", frozenset({"docker0", "br-0123456789ab"}))
    assert chosen["Kubernetes"] == ("", "bridge", frozenset())
