"""Steps of paths: each looks first, asks once, and waits as long as its provider may need."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.path_actions import ActivatePath, DeactivatePath, ModifyPath, PathAction, ReleasePath, RequestPath, WaitPath
from dtnctl.model.paths import PathProviderSeen, PathSeen, PathSpec, PathState
from dtnctl.runtime.observe import observe_paths
from dtnctl.runtime.paths.perform import PathRun
from tests.providers.paths.converge import QuickClock

SPEC = PathSpec("a2b", "anagram", ("a", "b"), vlan=1790)
SILENT = PathProviderSeen("anagram", silence="anagram: no answer")


def at(state: PathState, words: str = "") -> PathProviderSeen:
    return PathProviderSeen("anagram", paths=(PathSeen("c1", state, SPEC, words),))


@dataclass
class Provider:
    """Shows what is given, one look after the other, the last one for ever; keeps what it is asked for."""

    looks: list[PathProviderSeen]
    provider: str = "anagram"
    asked: list[str] = field(default_factory=list)
    ports: frozenset[str] = frozenset()

    def observe(self, ports: frozenset[str] = frozenset()) -> PathProviderSeen:
        self.ports = ports
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def request(self, path: PathSpec) -> None:
        self.asked.append(f"request {path.vlan}")

    def activate(self, seen: PathSeen) -> None:
        self.asked.append(f"activate {seen.id}")

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        self.asked.append(f"modify {seen.id} to {path.vlan}")

    def deactivate(self, seen: PathSeen) -> None:
        self.asked.append(f"deactivate {seen.id}")

    def release(self, seen: PathSeen) -> None:
        self.asked.append(f"release {seen.id}")

    def close(self) -> None: ...


@dataclass
class Ran:
    asked: list[str]
    said: list[str]
    detail: str
    seconds: float


def run(action: PathAction, *looks: PathProviderSeen, stop: bool = False) -> Ran:
    found, said, clock, stopping = Provider(list(looks)), list[str](), QuickClock(), threading.Event()
    if stop:
        stopping.set()
    detail = PathRun(found, clock, said.append, stopping).perform(action)
    return Ran(found.asked, said, detail, clock.passed)


NOTHING = PathProviderSeen("anagram")


@pytest.mark.parametrize("looks", [NOTHING, at("released"), at("expired")])
def test_path_that_is_not_there_is_asked_for(looks: PathProviderSeen) -> None:
    assert run(RequestPath(SPEC), looks).asked == ["request 1790"]


def test_path_that_is_there_is_not_asked_for_again() -> None:
    ran = run(RequestPath(SPEC), at("asked", "RESERVING"))
    assert (ran.asked, ran.detail) == ([], "it is there already, RESERVING")
    assert run(RequestPath(SPEC), at("active")).detail == "it is there already, active"


@pytest.mark.parametrize(
    "action", [RequestPath(SPEC), ActivatePath(SPEC), ModifyPath(SPEC), DeactivatePath(SPEC, "c1"), ReleasePath(SPEC, "c1")]
)
def test_nothing_is_asked_for_where_nothing_is_known(action: PathAction) -> None:
    with pytest.raises(UnreachableError, match="no answer"):
        run(action, SILENT)


@pytest.mark.parametrize(
    ("action", "state", "asked"),
    [
        (ActivatePath(SPEC), "reserved", ["activate c1"]),
        (ActivatePath(SPEC), "activating", []),
        (ActivatePath(SPEC), "active", []),
        (ModifyPath(replace(SPEC, vlan=5)), "active", ["modify c1 to 5"]),
        (DeactivatePath(SPEC, "c1"), "active", ["deactivate c1"]),
        (DeactivatePath(SPEC, "c1"), "reserved", []),
        (DeactivatePath(SPEC, "c2"), "active", []),
        (ReleasePath(SPEC, "c1"), "reserved", ["release c1"]),
        (ReleasePath(SPEC, "c1"), "releasing", []),
        (ReleasePath(SPEC, "c1"), "released", []),
        (ReleasePath(SPEC, "c2"), "reserved", []),
    ],
)
def test_only_what_is_not_so_yet_is_asked_for(action: PathAction, state: PathState, asked: list[str]) -> None:
    assert run(action, at(state)).asked == asked


@pytest.mark.parametrize(("looks", "words"), [(NOTHING, "not there"), (at("failed", "no light"), "failed (no light)")])
def test_path_that_is_of_no_use_is_not_activated(looks: PathProviderSeen, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        run(ActivatePath(SPEC), looks)
    assert str(caught.value) == f"path a2b is {words} at anagram"


def test_wait_says_each_state_once_and_ends_when_it_is_reached() -> None:
    looks = (at("asked"), at("asked"), at("reserved", "RESERVED"), at("activating"), at("active", "ACTIVATED"))
    ran = run(WaitPath(SPEC, "active", 600.0), *looks)
    assert ran.said == ["path a2b: asked", "path a2b: reserved (RESERVED)", "path a2b: activating"]
    assert ran.detail == "active (ACTIVATED)"
    assert 0 < ran.seconds < 60


def test_wait_survives_a_provider_that_does_not_answer_for_a_while() -> None:
    ran = run(WaitPath(SPEC, "reserved", 600.0), at("asked"), SILENT, at("reserved"))
    assert (ran.said, ran.detail) == (["path a2b: asked", "path a2b: anagram: no answer"], "")


@pytest.mark.parametrize("until", ["reserved", "active"])
@pytest.mark.parametrize("state", ["failed", "released", "expired"])
def test_wait_for_what_will_never_be_ends_with_the_words_of_the_provider(until: str, state: PathState) -> None:
    with pytest.raises(EngineError, match=f"path a2b is {state}"):
        run(WaitPath(SPEC, until, 600.0), at("asked"), at(state, "why"))  # type: ignore[arg-type]  # one of them


def test_wait_ends_after_its_time_and_the_next_apply_goes_on() -> None:
    with pytest.raises(EngineError) as caught:
        run(WaitPath(SPEC, "active", 600.0), at("asked", "RESERVING"))
    assert str(caught.value) == "path a2b is not active after 600 s: asked (RESERVING); the next apply continues"


def test_wait_ends_when_somebody_asks_to_stop() -> None:
    with pytest.raises(EngineError, match="stopped waiting for path a2b: asked; the next apply continues"):
        run(WaitPath(SPEC, "active", 600.0), at("asked"), stop=True)


@pytest.mark.parametrize(
    ("until", "states"),
    [
        ("settled", ["reserved", "active", "failed", "released"]),
        ("deactivated", ["reserved", "failed", "released"]),
        ("released", ["released", "expired"]),
    ],
)
def test_what_counts_as_reached(until: str, states: Iterable[PathState]) -> None:
    for state in states:
        assert not run(WaitPath(SPEC, until, 1.0), at(state)).said  # type: ignore[arg-type]  # one of them
    with pytest.raises(EngineError, match="after 1 s"):
        run(WaitPath(SPEC, until, 1.0), at("deactivating"))  # type: ignore[arg-type]  # one of them


@pytest.mark.parametrize("until", ["settled", "deactivated", "released"])
def test_wait_for_the_one_that_goes_does_not_look_at_its_namesake_that_stays(until: str) -> None:
    """It looked at the name, saw the one that stays, and failed when its time was over."""
    both = tuple(PathSeen(number, "active", SPEC) for number in ("c1", "c2"))
    gone = replace(both[1], state="released")
    looks = (
        PathProviderSeen("anagram", paths=(both[0], replace(both[1], state="deactivating"))),
        PathProviderSeen("anagram", paths=(both[0], gone)),
    )
    ran = run(WaitPath(SPEC, until, 60.0, "c2"), *looks)  # type: ignore[arg-type]  # one of them
    assert (ran.said, ran.seconds > 0) == (["path a2b: deactivating"], True)
    assert not run(WaitPath(SPEC, until, 60.0, "c2"), PathProviderSeen("anagram", paths=both[:1])).said  # type: ignore[arg-type]  # as above


def test_path_that_is_not_there_any_more_is_released() -> None:
    assert not run(WaitPath(SPEC, "released", 1.0), NOTHING).said


def test_providers_are_asked_at_once_about_the_ports_of_their_paths() -> None:
    one, other = Provider([at("active")]), Provider([NOTHING], provider="second")
    seen = observe_paths({"second": other, "anagram": one}, {"anagram": frozenset({"p"})})
    assert list(seen) == ["anagram", "second"]
    assert (one.ports, other.ports) == (frozenset({"p"}), frozenset())
    assert observe_paths({}, {}) == {}
