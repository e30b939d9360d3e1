"""Paths of providers that change some fields of a reservation in place, replace it for others, and have windows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.path_kinds import PATH_KINDS
from dtnctl.model.paths import PathState
from tests.planning.building import world
from tests.planning.listing import changes
from tests.planning.paths.scene import ASKED, SITE, declared, left, planned, running, seen

ROW = PATH_KINDS["nsi"]


@pytest.fixture
def modifying_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that changes bandwidth and times in place."""
    row = replace(
        ROW,
        shows=frozenset({"bandwidth", "starts", "until", "mtu"}),
        modifies=frozenset({"bandwidth", "starts", "until"}),
        has_window=True,
    )
    monkeypatch.setitem(PATH_KINDS, "nsi", row)


@pytest.mark.usefixtures("modifying_kind")
@pytest.mark.parametrize(
    ("state", "verbs"), [("active", ["modify", "wait-active"]), ("reserved", ["modify", "wait-reserved", "activate", "wait-active"])]
)
def test_used_path_is_changed_in_place_where_its_provider_can(state: PathState, verbs: list[str]) -> None:
    text = declared(path=ASKED + "window: {from: 2026-05-01T00:00:00+02:00, until: 2027-01-01T00:00:00Z}\n")
    found = planned(text, running(declared()), seen(state, bandwidth=1_000_000))
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert (shown.mark, shown.summary) == ("update", "changes path a2b")
    assert [(item.field, item.before, item.after, item.cause.field) for item in shown.fields] == [
        ("bandwidth", "1000mbit", "10000mbit", "bandwidth"),
        ("starts", "none", "2026-04-30T22:00:00Z", "window"),
        ("until", "none", "2027-01-01T00:00:00Z", "window"),
    ]
    assert [step.id.split("/")[1] for step in found.steps] == [f"{verb}-path" for verb in verbs]


def test_reserved_path_is_replaced_where_its_provider_changes_only_active_ones() -> None:
    """SENSE-O refuses to modify what is computed and not provisioned yet."""
    login = "user: u, password: {secret: 'env:P'}, client_secret: {secret: 'env:S'}"
    options = "{auth: 'https://k.example.net', client: c}"
    settings = SITE.replace("options: {requester: r, aggregator: g}", f"{login}, options: {options}").replace("kind: nsi", "kind: sense")
    text = declared(settings=settings)
    for state, mark in (("active", "update"), ("reserved", "replace")):
        found = planned(text, world(text), seen(state, bandwidth=1_000_000))  # type: ignore[arg-type]  # both are states
        assert [item.mark for item in found.changes if item.kind == "path"] == [mark]


@pytest.mark.usefixtures("modifying_kind")
def test_path_that_is_on_its_way_is_not_changed_in_place() -> None:
    text = declared()
    code, reason, _ = left(text, running(text), seen("activating", bandwidth=0))
    assert (code, reason.partition(", and")[0]) == ("E0543", "path a2b: bandwidth would change")


@pytest.mark.usefixtures("modifying_kind")
def test_field_that_cannot_be_changed_in_place_forces_another_reservation() -> None:
    text = declared(path=ASKED.replace("1790\n", "1790\nmtu: 9000\n"))
    found = planned(text, world(text), seen(bandwidth=1, mtu=1500))
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert (shown.mark, [item.forces_replace for item in shown.fields]) == ("replace", [False, True])


@pytest.mark.usefixtures("modifying_kind")
def test_mtu_that_is_not_declared_is_the_provider_s() -> None:
    text = declared()
    assert planned(text, running(text), seen(mtu=9000)).is_empty


@pytest.mark.usefixtures("modifying_kind")
def test_path_is_released_when_its_window_is_over() -> None:
    text = declared(path=ASKED + "window: {until: 2026-05-01T00:00:00Z}\n", session="")
    found = planned(text, world(text), seen())
    assert changes(found) == ["destroy path/a2b @ anagram: releases path a2b, active"]
    assert found.changes[0].cause.text == "its window is over"
