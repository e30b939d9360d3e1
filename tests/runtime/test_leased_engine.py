"""Engines that ask for the lease before each write, and the clock by which a lease grows old."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.errors import LockError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import Engine, FileEntry
from dtnctl.runtime.clock import BOOT_CLOCK, SystemClock
from dtnctl.runtime.leased_engine import WRITES, leased_engines
from tests.docker_clients import connect
from tests.fakes.engine import World


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with World(["a"]) as world:
        endpoint = Endpoint(docker=parse_engine(f"unix://{world.sockets['a']}"), host="a")
        client = connect("a", endpoint, site="site", registries={}, read_only=False, root=tmp_path)
        yield client
        client.close()


def lost(endpoint: str) -> None:
    raise LockError(f"the lease of {endpoint} was lost")


def test_a_write_without_the_lease_is_refused_and_sent_to_no_engine(engine: Engine) -> None:
    container = engine.store.claim("one", ())
    late = leased_engines({"a": engine}, lost)["a"]
    with pytest.raises(LockError, match="the lease of a was lost"):
        late.write_files(container, (FileEntry("/lease/x", b""),))
    with pytest.raises(LockError, match="the lease of a was lost"):
        late.remove(container)
    assert late.inspect(container).id == container
    assert late.endpoint == "a"


def test_with_the_lease_all_is_as_without_the_check(engine: Engine) -> None:
    asked: list[str] = []
    held = leased_engines({"a": engine}, asked.append)["a"]
    container = held.store.claim("one", ())
    held.write_files(container, (FileEntry("/lease/x", b"content"),))
    assert held.read_files(container, "/lease/x") == {"/lease/x": b"content"}
    assert asked == ["a", "a"]


def test_a_write_to_the_store_without_the_lease_is_refused_and_a_look_is_not(engine: Engine) -> None:
    holder = engine.store.claim("one", ())
    store = leased_engines({"a": engine}, lost)["a"].store
    for write in (
        lambda: store.claim("two", ()),
        lambda: store.beat(holder, b"1"),
        lambda: store.write(holder, (FileEntry("/lease/x", b""),)),
        lambda: store.remove(holder),
    ):
        with pytest.raises(LockError, match="the lease of a was lost"):
            write()
    found = store.find("one")
    assert found is not None
    assert (found.id, store.find("two"), store.last_beat(holder)) == (holder, None, b"")


def test_every_method_of_an_engine_or_a_store_that_no_reader_has_counts_as_a_write_but_waiting() -> None:
    """A health check changes nothing that is declared; the engines that have a timer for it run it whoever has the lease."""
    from dtnctl.providers.base import Observer
    from dtnctl.providers.store import Store, StoreReader

    pairs = ((Engine, Observer), (Store, StoreReader))
    own = {name for writer, reader in pairs for name in vars(writer).keys() - vars(reader).keys() if not name.startswith("_")}
    assert own - {"agent"} == WRITES | {"wait", "check_health"}


def test_the_time_in_which_a_machine_sleeps_makes_leases_old() -> None:
    """CLOCK_MONOTONIC stands still then: a laptop that wakes up would take its lease for fresh."""
    assert BOOT_CLOCK == time.CLOCK_BOOTTIME
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SystemClock().monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)
