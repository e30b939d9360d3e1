"""What every provider of paths has to hold: asked of its stand-in, which has the states, the refusals and the traps of the real one."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.path_kinds import ASKED_KINDS
from dtnctl.model.paths import GONE, PathOwner, PathProviderSeen, PathSeen
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.paths.connect import path_observer
from tests.fakes.paths.double import TOKEN, Accident, Answered, Double
from tests.providers.paths.converge import converge, converge_once
from tests.providers.paths.doubles import DOUBLES, OWNER, access, observer, row, service, spec

ASKED_FOR_VLANS = ("/api/topo/edge-port-search", "/interface.cgi", "/rooturi", "/peers")


@pytest.fixture(params=sorted(DOUBLES))
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with DOUBLES[request.param]() as found:
        yield found


def ours(double: Double) -> PathSeen | None:
    """The path of the contract as another client sees it; a look takes no time on its way."""
    return observer(double).observe().named("a2b")


def settled(double: Double, state: str) -> PathSeen:
    """The path once it is at rest in that state."""
    for _ in range(double.pace + 3):
        seen = ours(double)
    assert seen is not None
    assert seen.state == state, seen
    return seen


def make(double: Double) -> PathSeen:
    converge(service(double), spec(double), double.kind, keep=True)
    return settled(double, "active")


def test_every_kind_has_a_stand_in() -> None:
    assert set(DOUBLES) == set(ASKED_KINDS)


# --- what is seen -------------------------------------------------------------------------------------------


def test_paths_of_others_are_not_seen_and_not_touched(double: Double) -> None:
    double.add_foreign()
    before = {name: replace(item) for name, item in double.circuits.items()}
    assert observer(double).observe().paths == ()
    make(double)
    converge(service(double), spec(double), double.kind, keep=False)
    assert {name: item for name, item in double.circuits.items() if name in before} == before


def test_path_is_seen_with_everything_that_the_kind_shows(double: Double) -> None:
    seen = make(double)
    assert seen.spec == spec(double)
    assert seen.words


def test_free_vlans_are_those_that_no_path_has_as_far_as_the_provider_says(double: Double) -> None:
    before = observer(double).observe(frozenset({*double.ports, "unknown:port"})).free_vlans
    assert set(before) in (set(), set(double.ports))
    assert all({2, 1790, 4094} <= vlans for vlans in before.values())
    make(double)
    after = observer(double, PathOwner("other")).observe(frozenset(double.ports)).free_vlans
    taken = set() if double.reports_pools else {1790}
    assert {port: before[port] - vlans for port, vlans in after.items()} == dict.fromkeys(before, taken)


@pytest.mark.parametrize("instead", [Answered(404), Answered(200, [7]), Answered(200, "<html>")])
def test_provider_that_says_nothing_of_free_vlans_shows_its_paths_all_the_same(
    double: Double, instead: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(double)
    usual = double.answer
    monkeypatch.setattr(double, "answer", lambda asked: instead if asked.path.endswith(ASKED_FOR_VLANS) else usual(asked))
    seen = observer(double).observe(frozenset({"another:port"}))
    assert (seen.silence, seen.free_vlans, seen.named("a2b") is not None) == ("", {}, True)


def test_path_of_another_site_or_repository_is_not_ours(double: Double) -> None:
    make(double)
    for owner in (PathOwner("other"), PathOwner("lab", "0123456789ab")):
        assert observer(double, owner).observe().paths == ()


def test_path_from_before_the_repository_had_an_id_is_adopted_with_its_objects(double: Double) -> None:
    """Containers were adopted, and their path was not seen any more: it was asked for a second time, and the first one never released."""
    before = make(double)
    owner = PathOwner("lab", "0123456789ab", adopts=True)
    assert observer(double, owner).observe().named("a2b") == before
    assert converge(service(double, owner), spec(double), double.kind, keep=True) == []
    assert observer(double, replace(owner, site="other")).observe().paths == ()
    converge(service(double, owner), spec(double), double.kind, keep=False)
    assert double.living == []
    converge(service(double, owner), spec(double), double.kind, keep=True)
    assert {item.state for item in observer(double).observe().paths} <= GONE, "made again, it has the id of the repository"


def test_two_sites_have_paths_of_one_name_beside_each_other(double: Double) -> None:
    make(double)
    converge(service(double, PathOwner("other")), spec(double, vlan=1791), double.kind, keep=True)
    assert len(double.living) == 2
    assert settled(double, "active").spec.vlan == 1790


# --- its life -----------------------------------------------------------------------------------------------


def test_path_is_made_and_a_second_run_has_nothing_to_do(double: Double) -> None:
    assert make(double).spec.name == "a2b"
    assert converge(service(double), spec(double), double.kind, keep=True) == []
    assert len(double.living) == 1


def test_path_is_released_and_made_again(double: Double) -> None:
    first = make(double)
    converge(service(double), spec(double), double.kind, keep=False)
    gone = ours(double)
    assert gone is None or gone.state in GONE
    assert double.living == []
    assert make(double).id != first.id


def test_what_fails_is_seen_with_the_words_of_the_provider(double: Double) -> None:
    double.failing = "no capacity on port-7"
    with pytest.raises(EngineError, match="no capacity on port-7"):
        converge(service(double), spec(double), double.kind, keep=True)
    if not double.refuses_at_once:
        assert "no capacity on port-7" in settled(double, "failed").words
    converge(service(double), spec(double), double.kind, keep=False)
    assert double.living == []
    assert make(double).state == "active"


def test_path_that_is_on_its_way_is_released_once_it_has_arrived(double: Double) -> None:
    double.pace = 3
    service(double).request(spec(double))
    converge(service(double), spec(double), double.kind, keep=False)
    assert double.living == []


def test_asking_twice_makes_one_path(double: Double) -> None:
    """As two runs do of which neither has seen the other's."""
    one, other = service(double), service(double)
    one.request(spec(double))
    with contextlib.suppress(EngineError):
        other.request(spec(double))
    assert len(double.living) == 1


def test_changed_wishes_of_a_path_that_is_there_are_seen_as_differences(double: Double) -> None:
    make(double)
    with contextlib.suppress(EngineError):
        service(double).request(spec(double, vlan=1799))
    assert settled(double, "active").spec.vlan == 1790
    assert len(double.living) == 1


def test_field_that_the_kind_modifies_is_changed_in_place(double: Double) -> None:
    seen = make(double)
    changed = spec(double, bandwidth=20_000_000)
    if "bandwidth" not in row(double).modifies:
        with pytest.raises(EngineError, match="stays as it is"):
            service(double).modify(seen, changed)
        assert settled(double, "active") == seen
        return
    service(double).modify(seen, changed)
    after = settled(double, "active")
    assert (after.id, after.spec) == (seen.id, changed)


def test_vlan_of_another_path_is_refused_until_that_is_released(double: Double) -> None:
    make(double)
    second = replace(spec(double), name="a2c")
    with pytest.raises(EngineError):
        converge(service(double), second, double.kind, keep=True)
    converge(service(double), second, double.kind, keep=False)
    assert [item.id for item in double.living] == [settled(double, "active").id]
    converge(service(double), spec(double), double.kind, keep=False)
    converge(service(double), second, double.kind, keep=True)
    assert len(double.living) == 1
    found = observer(double).observe().named("a2c")
    assert found is not None
    assert found.spec == second


def test_call_in_a_wrong_state_is_refused_with_the_words_of_the_provider(double: Double) -> None:
    seen = make(double)
    converge(service(double), spec(double), double.kind, keep=False)
    with contextlib.nullcontext() if double.forgives_release else pytest.raises(EngineError, match="anagram"):
        service(double).release(seen)
    assert double.living == []
    if row(double).activates:
        with pytest.raises(EngineError, match="anagram"):
            service(double).activate(seen)
    if row(double).deactivates:
        with pytest.raises(EngineError, match="anagram"):
            service(double).deactivate(seen)


# --- accidents ----------------------------------------------------------------------------------------------


def run_until_killed(double: Double, verb: str, at: int, when: Literal["before", "after"]) -> int:
    """A process makes or releases the path, and is killed at that call; 0 if it had ended before."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([converge.__module__, *(f"dtnctl.providers.paths.{kind}" for kind in DOUBLES)])
    process = forks.Process(target=converge_once, args=(double.settings, spec(double)), kwargs={"keep": verb == "keep"})
    double.calls.clear()
    started = threading.Event()  # before, there is nothing to kill: with much to do the process is at its calls by then
    double.accident = Accident(at, when, lambda: process.kill() if started.wait(60) else None)
    process.start()
    started.set()
    process.join(timeout=120)
    double.accident = None
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["keep", "release"])
def test_next_run_adopts_what_a_killed_one_left(double: Double, verb: str, when: Literal["before", "after"]) -> None:
    """At each of its calls."""
    double.pace = 0
    at, was_killed = 1, True
    while was_killed:
        if verb == "release":
            make(double)
        was_killed = run_until_killed(double, verb, at, when) != 0
        assert len(double.living) <= 1
        converge(service(double), spec(double), double.kind, keep=verb == "keep")
        assert len(double.living) == (1 if verb == "keep" else 0)
        converge(service(double), spec(double), double.kind, keep=False)
        assert double.living == []
        at += 1
    assert at > 4, "it makes more calls than that"


@pytest.mark.parametrize(
    "broken",
    [
        *(Answered(502, {"detail": "Failed to reach it"}), Answered(504, "gateway timeout"), Answered(401, {"detail": "who are you"})),
        *(Answered(200, "<html>hello</html>"), Answered(200, []), Answered(403, None)),
    ],
)
def test_answer_that_is_none_is_silence_and_not_an_empty_provider(double: Double, broken: Answered) -> None:
    make(double)
    double.broken = broken
    found = observer(double).observe()
    assert (found.silence != "", found.paths) == (True, ())
    assert TOKEN not in found.silence


def test_provider_that_is_away_is_silent(double: Double) -> None:
    client = observer(double)
    double.close()
    assert client.observe() == PathProviderSeen("anagram", silence="anagram: no answer: Connection refused")


def test_wrong_token_is_silence_that_does_not_show_it(double: Double) -> None:
    wrong = "another-secret-4711"
    found = path_observer(access(double, OWNER, wrong)).observe()
    assert found.silence
    assert wrong not in found.silence
    assert "our login" in found.silence or "no token for" in found.silence, "a person must see that it is not away"
    assert "`" in found.silence or "no token for" in found.silence, "and what to look at"


def test_observer_cannot_write(double: Double) -> None:
    make(double)
    before = len(double.living)
    calls = observer(double)._calls  # type: ignore[attr-defined]  # what all of its methods go through
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(ReadOnlyError):
            calls.send(method, "/reservations", {})
    assert len(double.living) == before


def test_provider_that_wants_a_login_where_the_site_has_none_is_named() -> None:
    with DOUBLES["nsi"]() as nsi:
        given = access(nsi)
        without = replace(given, settings=given.settings.model_copy(update={"token": None}))
        assert path_observer(without).observe().silence == (
            "anagram refuses our login (401: Not authenticated): anagram has no login in site.yaml"
        )
