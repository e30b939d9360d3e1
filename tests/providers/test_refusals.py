"""What an engine refuses of one object is unknown of that object; everything else is seen, and an engine without a list is silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.actions import CreateContainer, ReplaceContainer, StartContainer
from dtnctl.model.ledger import LEDGER_MOUNT, Attempt, LedgerSeen, encode_attempt, record_path
from dtnctl.model.resources import ContainerSpec, EndpointSeen, VolumeSeen, Wanted, ledger_name
from dtnctl.providers.base import FileEntry
from tests.fakes.engine import Fault, World
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, FakeBackend, labels_of

OTHER = f"{SITE}.other"
HAND = ledger_name(SITE)
STATUSES = (400, 403, 409, 500, 503)
WANTED = Wanted(images=frozenset({IMAGE}), remote_images=frozenset({IMAGE}), ledger=True)


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with World([ENDPOINT]) as world:
        made = FakeBackend(world)
        engine = made.engine()
        engine.perform(CreateContainer(SESSION, ContainerSpec(IMAGE), labels_of(SESSION)))
        engine.perform(CreateContainer(OTHER, ContainerSpec(IMAGE, network="host"), labels_of(OTHER)))
        engine.perform(StartContainer(SESSION))
        engine.create_placeholder(HAND, labels_of(HAND, kind="ledger"), binds=(("/var/lib/dtnctl/x", LEDGER_MOUNT),))
        engine.write_files(HAND, (FileEntry(record_path("run", 1, 1), encode_attempt(Attempt("run", 1, 1, "c", claimed_at="now"))),))
        yield made
        made.close()


def seen_with(backend: FakeBackend, call: str, status: int) -> EndpointSeen:
    backend.world.plan_faults(Fault("status", match=call, nth=0, status=status, message="no, says the engine"))
    return backend.engine().observe(WANTED)


@pytest.mark.parametrize("status", STATUSES)
def test_a_container_that_is_not_shown_is_foreign_with_the_reason_and_the_others_are_seen(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, f"GET /containers/{SESSION}/json", status)
    assert (seen.silence, [item.name for item in seen.containers]) == ("", [HAND, OTHER])
    (hidden,) = seen.foreign
    assert (hidden.name, hidden.trouble) == (SESSION, "no, says the engine")


@pytest.mark.parametrize("status", STATUSES)
def test_an_image_that_is_not_shown_is_troubled_and_the_containers_are_seen(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, "GET /images/*/json", status)
    assert (seen.silence, len(seen.containers)) == ("", 3)
    assert seen.image_troubles == {IMAGE: "no, says the engine"}


@pytest.mark.parametrize("status", STATUSES)
def test_a_volume_that_is_not_shown_is_troubled(backend: FakeBackend, status: int) -> None:
    backend.world.plan_faults(Fault("status", match="GET /volumes/*", nth=0, status=status, message="no, says the engine"))
    seen = backend.engine().observe(replace(WANTED, volumes=frozenset({"vol"})))
    assert (seen.silence, seen.volumes) == ("", {"vol": VolumeSeen("vol", trouble="no, says the engine")})


@pytest.mark.parametrize("status", STATUSES)
def test_a_host_that_is_not_told_of_hides_only_containers_on_its_network(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, "GET /info", status)
    assert (seen.silence, [item.name for item in seen.containers]) == ("", [HAND, SESSION])
    assert [item.trouble for item in seen.foreign] == ["the engine does not say its host's name: no, says the engine"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_host_whose_cpus_are_not_told_of_has_an_unknown_number(backend: FakeBackend, status: int) -> None:
    backend.world.plan_faults(Fault("status", match="GET /info", nth=0, status=status, message="no"))
    seen = backend.engine().observe(replace(WANTED, cpus=True))
    assert (seen.silence, seen.cpus) == ("", 0)


@pytest.mark.parametrize("status", STATUSES)
def test_a_ledger_that_is_not_shown_is_unreadable_with_the_reason(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, f"GET /containers/{HAND}/archive", status)
    assert (seen.silence, seen.ledger) == ("", LedgerSeen(trouble="no, says the engine"))


@pytest.mark.parametrize("status", STATUSES)
def test_a_placeholder_that_is_not_shown_hides_its_records(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, f"GET /containers/{HAND}/json", status)
    assert (seen.silence, seen.ledger.readable, [item.name for item in seen.foreign]) == ("", False, [HAND])


@pytest.mark.parametrize("status", [*STATUSES, 404])
def test_a_registry_that_is_not_asked_leaves_the_digest_unknown(backend: FakeBackend, status: int) -> None:
    seen = seen_with(backend, "GET /distribution/*", status)
    assert (seen.silence, seen.remote_digests) == ("", {IMAGE: ""})


@pytest.mark.parametrize("call", ["GET /containers/json", "GET /networks"])
@pytest.mark.parametrize("status", STATUSES)
def test_an_engine_that_does_not_list_is_silent(backend: FakeBackend, call: str, status: int) -> None:
    assert "no, says the engine" in seen_with(backend, call, status).silence


def test_an_engine_that_renames_refuses_the_action_of_backends_that_do_not_and_changes_nothing(backend: FakeBackend) -> None:
    engine = backend.engine()
    before = engine.inspect(SESSION)
    with pytest.raises(EngineError, match="engines rename containers, so no plan for one has a ReplaceContainer"):
        engine.perform(ReplaceContainer(SESSION, before.id, ContainerSpec(IMAGE, tty=True), labels_of(SESSION), start=True))
    assert engine.inspect(SESSION) == before
