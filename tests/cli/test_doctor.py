"""`dtnctl endpoints doctor` as the shell sees it: what is asked, what is answered when nobody answers, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dtnctl.cli.doctor import exit_code
from dtnctl.errors import UnreachableError
from dtnctl.model.findings import Examination, Finding
from tests.repository.state_folder import ENDPOINT, VALID, more, write_state
from tests.runtime.program import dtnctl

WITH_AGENT = more(ENDPOINT, "agent: https://a.example.net:5050\nagent_token_env: TOKEN\n")
SOCKET = {**WITH_AGENT, "endpoints/b.yaml": "docker: unix:///run/none-b.sock\nhost: b\ninterfaces: {data: eth1}\n"}
WRONG = Finding("cpu.governor", "error", "", "performance", "powersave", "fix", "state/endpoints/a.yaml:1")
RIGHT = Finding("cpu.governor", "ok", "", "performance", "performance")


def test_something_must_be_asked(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path, WITH_AGENT), "endpoints", "doctor")
    assert (result.code, result.out) == (64, "")
    assert result.err == "name endpoints or write --all; there are a, b\ndtnctl: usage (64)\n"


def test_names_and_all_do_not_go_together(tmp_path: Path) -> None:
    assert dtnctl(write_state(tmp_path, WITH_AGENT), "endpoints", "doctor", "a", "--all").code == 64


def test_unknown_endpoint_suggests_the_nearest(tmp_path: Path) -> None:
    write_state(tmp_path, {"endpoints/starlight.yaml": VALID["endpoints/b.yaml"]})
    result = dtnctl(tmp_path, "endpoints", "doctor", "starlihgt")
    assert result.err == "no endpoint named starlihgt; try `starlight`\ndtnctl: usage (64)\n"


def test_endpoint_without_an_agent_is_told_with_its_file(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path), "endpoints", "doctor", "a")
    assert result.code == 64
    assert result.err.startswith("state/endpoints/a.yaml:1: endpoint a declares no `agent:`")


def test_all_without_any_agent_says_so(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path), "endpoints", "doctor", "--all")
    assert (result.code, result.out) == (64, "")
    assert "no endpoint declares an `agent:`" in result.err


def test_silence_is_told_with_its_reason_and_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "x")
    result = dtnctl(write_state(tmp_path, SOCKET), "endpoints", "doctor", "--all", "--timeout", "1")
    assert result.code == 7
    assert result.out.startswith("a: not examined: ")
    assert result.err.endswith("dtnctl: unreachable (7)\n")


def test_json_is_one_document_also_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "x")
    result = dtnctl(write_state(tmp_path, SOCKET), "endpoints", "doctor", "a", "-o", "json", "--timeout", "1")
    document = json.loads(result.out)
    assert (result.code, document["kind"]) == (7, "doctor")
    assert [(item["name"], bool(item["silence"]), item["findings"]) for item in document["endpoints"]] == [("a", True, [])]


def test_json_of_a_mistake_is_one_document(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path), "endpoints", "doctor", "a", "-o", "json")
    assert json.loads(result.out)["kind"] == "error"


def test_policy_with_an_unknown_check_is_a_mistake_in_the_state(tmp_path: Path) -> None:
    write_state(tmp_path, {"site.yaml": "name: lab\ndoctor: {ignore: [net.rmem_mx]}\n"})
    result = dtnctl(tmp_path, "endpoints", "doctor", "a")
    assert result.code == 65
    assert "state/site.yaml:2:19: E0206: `doctor.ignore[0]`: there is no check `net.rmem_mx`; try `net.rmem_max`" in result.err


# --- exit codes ---------------------------------------------------------------------------------------------

SICK, WELL = Examination("a", (WRONG, RIGHT)), Examination("b", (RIGHT,))
SILENT = Examination("c", silence="connection refused")


@pytest.mark.parametrize(
    ("examinations", "detailed", "code"),
    [
        ([SICK, WELL], False, 0),
        ([SICK, WELL], True, 2),
        ([WELL], True, 0),
        ([SICK, SILENT], False, 0),
    ],
    ids=["errors are no failure", "unless asked for", "nothing is wrong", "one that answers is enough"],
)
def test_exit_code(examinations: list[Examination], detailed: bool, code: int) -> None:
    assert exit_code(examinations, detailed) == code


@pytest.mark.parametrize(("examinations", "detailed"), [([SILENT], False), ([WELL, SILENT], True), ([SICK, SILENT], True)])
def test_silence_beats_errors(examinations: list[Examination], detailed: bool) -> None:
    with pytest.raises(UnreachableError, match=r"no answer from c \(connection refused\)"):
        exit_code(examinations, detailed)
