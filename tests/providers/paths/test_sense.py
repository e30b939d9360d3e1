"""Traps of SENSE-O: tokens that end, a cancel that says too early that it is done, and instances that fail half made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.providers.paths.connect import path_observer
from tests.fakes.paths.double import Answered, Circuit
from tests.fakes.paths.sense import SenseDouble
from tests.providers.paths.converge import converge
from tests.providers.paths.doubles import OWNER, access, observer, service, spec


@pytest.fixture
def sense() -> Iterator[SenseDouble]:
    with SenseDouble(pace=0) as found:
        yield found


def made(sense: SenseDouble, **fields: object) -> Circuit:
    before = set(sense.circuits)
    converge(service(sense), spec(sense, **fields), sense.kind, keep=True)
    (name,) = set(sense.circuits) - before
    return sense.circuits[name]


def test_token_that_has_ended_is_replaced_by_another_one(sense: SenseDouble) -> None:
    sense.calls_of_a_token = 1
    assert made(sense).state == "CREATE - READY"
    assert len(sense.tokens) > 3


def test_one_token_is_enough_for_many_calls(sense: SenseDouble) -> None:
    client = service(sense)
    converge(client, spec(sense), sense.kind, keep=True)
    converge(client, spec(sense), sense.kind, keep=False)
    assert len(sense.tokens) == 1


def test_refused_login_shows_neither_the_password_nor_what_keycloak_answers(sense: SenseDouble) -> None:
    right = access(sense)
    wrong = replace(right, settings=right.settings.model_copy(update={"user": "somebody"}))
    silence = path_observer(wrong).observe().silence
    assert silence == f"anagram: no token for somebody from {right.settings.options['auth']} (it answers 401)"


def test_cancel_that_looks_done_is_not_believed_at_once(sense: SenseDouble) -> None:
    sense.early = 5
    circuit = made(sense)
    converge(service(sense), spec(sense), sense.kind, keep=False)
    assert circuit.state == "deleted"
    assert sum(call.endswith("/delete") for call in sense.calls) == 1


def test_cancelled_path_that_is_declared_again_is_provisioned_again(sense: SenseDouble) -> None:
    circuit = made(sense)
    service(sense).deactivate(observer(sense).observe().paths[0])
    converge(service(sense), spec(sense), sense.kind, keep=True)
    assert sense.living == [circuit]
    assert circuit.state == "REINSTATE - READY"


def test_path_that_fails_half_made_is_cancelled_by_force_and_deleted_by_the_next_run(sense: SenseDouble) -> None:
    service(sense).request(spec(sense))
    sense.failing = "link down"
    with pytest.raises(EngineError, match="CREATE - FAILED"):
        converge(service(sense), spec(sense), sense.kind, keep=True)
    with pytest.raises(EngineError, match="anagram cancels it; the next apply deletes it"):
        converge(service(sense), spec(sense), sense.kind, keep=False)
    converge(service(sense), spec(sense), sense.kind, keep=False)
    assert sense.living == []


def test_refusal_in_a_wrong_state_has_the_words_of_sense(sense: SenseDouble) -> None:
    made(sense)
    (seen,) = observer(sense).observe().paths
    with pytest.raises(EngineError, match="answers 406: Request unacceptable under status: CREATE - READY"):
        service(sense).release(seen)


def test_second_instance_of_a_path_is_not_asked_for_although_sense_would_make_it(sense: SenseDouble) -> None:
    circuit = made(sense)
    with pytest.raises(EngineError, match=f"has path a2b already, as {circuit.id}: CREATE - READY"):
        service(sense).request(spec(sense, vlan=1800))
    assert sense.living == [circuit]


def test_path_without_bandwidth_is_best_effort(sense: SenseDouble) -> None:
    (connection,) = made(sense, bandwidth=0).body["data"]["connections"]
    assert connection["bandwidth"] == {"qos_class": "bestEffort"}
    assert connection["name"] == OWNER.id_of("a2b")


def test_instance_that_is_deleted_while_it_is_looked_at_is_not_there(sense: SenseDouble) -> None:
    made(sense).state = "ServiceInstance not found"
    assert observer(sense).observe().paths == ()


def test_state_that_is_not_known_is_silence(sense: SenseDouble) -> None:
    circuit = made(sense)
    circuit.state = "CREATE - PAINTED"
    assert observer(sense).observe().silence == f"anagram: instance {circuit.id} is CREATE - PAINTED, which dtnctl does not know"
    with pytest.raises(UnreachableError):
        service(sense).request(spec(sense))


# --- what came of it ----------------------------------------------------------------------------------------


def test_active_path_has_the_vlans_that_its_manifest_has_and_not_those_that_were_asked_for(sense: SenseDouble) -> None:
    """The intent stays as it was written, whatever SENSE-O gave."""
    made(sense)
    (asked_for,) = observer(sense).observe().paths
    assert (asked_for.spec, asked_for.words) == (spec(sense), "CREATE - READY")
    sense.unlike = dict.fromkeys(sense.ports, 1795)
    (both,) = observer(sense).observe().paths
    assert both.spec == spec(sense, vlan=1795)
    sense.unlike = {sense.ports[1]: 1795}
    (one,) = observer(sense).observe().paths
    assert (one.spec.vlan, one.words) == (
        0,
        f"CREATE - READY; by its manifest VLAN 1790 at {sense.ports[0]}, VLAN 1795 at {sense.ports[1]}",
    )


def test_manifest_that_is_not_there_yet_leaves_what_was_asked_for_and_says_so(sense: SenseDouble) -> None:
    sense.without_manifest = 100
    made(sense)
    (seen,) = observer(sense).observe().paths
    assert (seen.state, seen.spec) == ("active", spec(sense))
    assert seen.words == "CREATE - READY; its manifest has no VLAN of its ports yet"


def test_manifest_of_what_is_not_active_is_not_asked_for(sense: SenseDouble) -> None:
    service(sense).request(spec(sense))
    assert observer(sense).observe().paths[0].state == "reserved"
    assert not [call for call in sense.calls if "manifest" in call]


@pytest.mark.parametrize(
    "instead",
    [
        *(Answered(404, {"exception": "no such service"}), Answered(200, [7])),
        *(Answered(200, {"jsonTemplate": "{"}), Answered(200, {"jsonTemplate": "[]"}), Answered(200, {"jsonTemplate": '{"Ports": [{}]}'})),
    ],
)
def test_manifest_that_cannot_be_read_hides_no_path(sense: SenseDouble, instead: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    made(sense)
    usual = sense.answer
    monkeypatch.setattr(sense, "answer", lambda asked: instead if "manifest" in asked.path else usual(asked))
    seen = observer(sense).observe()
    assert (seen.silence, [item.spec for item in seen.paths]) == ("", [spec(sense)])
    said = "cannot be read: " if instead.status >= 400 else "has no VLAN of its ports yet"
    assert said in seen.paths[0].words


def test_question_for_a_manifest_that_fails_is_no_word_on_its_vlans(sense: SenseDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the intent's VLAN was taken for it, the networks over the path would be made again with another one."""
    made(sense)
    usual, failed = sense.answer, Answered(500, "java.lang.NullPointerException")
    monkeypatch.setattr(sense, "answer", lambda asked: failed if "manifest" in asked.path else usual(asked))
    seen = observer(sense).observe()
    assert "500" in seen.silence
    assert seen.paths == ()


def test_pools_are_those_of_ports_that_face_another_domain(sense: SenseDouble) -> None:
    sense.pool = "1779-1781, 3600,any"
    found = observer(sense).observe(frozenset({*sense.ports, f"{sense.domain}:another", "unknown"})).free_vlans
    assert found == dict.fromkeys(sense.ports, frozenset({1779, 1780, 1781, 3600}))
    sense.pool = "any"
    assert observer(sense).observe(frozenset(sense.ports)).free_vlans == {}
