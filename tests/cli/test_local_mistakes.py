"""A mistake on this machine is an error of the line that names it, for every command that asks endpoints; it is no silent host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.repository.state_folder import ENDPOINT, VALID, write_state
from tests.runtime.program import dtnctl

NO_CA = {
    ENDPOINT: "docker: tcp://a.example.net:9\ntls: {ca: nosuch.pem, cert: nosuch.pem, key: nosuch.pem}\ninterfaces: {data: eth1}\n",
    "endpoints/b.yaml": "docker: unix:///run/none.sock\nhost: b.example.net\ninterfaces: {data: eth1}\n",
}
NOBODY = {"endpoints/b.yaml": NO_CA["endpoints/b.yaml"]}
ASKING = (
    ["plan"],
    ["plan", "-o", "json"],
    ["drift"],
    ["apply", "--yes"],
    ["destroy", "--yes", "--confirm=lab"],
    ["unlock", "a"],
    ["status"],
    ["sessions", "list"],
    ["transfers", "list"],
    ["endpoints", "list"],
)


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_every_command_that_asks_endpoints_names_a_missing_file_by_its_line(tmp_path: Path, arguments: list[str]) -> None:
    ran = dtnctl(write_state(tmp_path, NO_CA), *arguments)
    assert ran.code == 65
    said = ran.out if "json" in arguments else ran.err
    assert f"state/{ENDPOINT}:2:11: E0370: cannot read nosuch.pem: no such file or directory; try" in said or '"E0370"' in said


def test_validate_notes_it_and_passes_since_another_machine_may_apply(tmp_path: Path) -> None:
    ran = dtnctl(write_state(tmp_path, NO_CA), "validate")
    assert ran.code == 0
    assert f"note: state/{ENDPOINT}:2:11: E0370: " in ran.err


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_where_no_endpoint_answers_the_verdict_says_that_nothing_is_known(tmp_path: Path, command: str) -> None:
    ran = dtnctl(write_state(tmp_path, NOBODY), command, "--timeout", "1")
    assert ran.code == 7
    assert ran.out.startswith("VERDICT  Unknown: no endpoint answered (a, b)")
    assert ran.err.endswith("dtnctl: unreachable (7)\n")


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_no_form_of_a_plan_that_nobody_answered_says_that_there_are_no_changes(tmp_path: Path, form: str) -> None:
    ran = dtnctl(write_state(tmp_path, NOBODY), "plan", "-o", form, "--timeout", "1")
    assert ran.code == 7
    assert "No changes" not in ran.out
    if form == "json":
        assert [row["silence"] != "" for row in json.loads(ran.out)["endpoints"]] == [True, True]


@pytest.mark.parametrize(
    "address",
    [
        "tcp://a.example.net",
        "tcp://a.example.net:0",
        "tcp://a.example.net:70000",
        "tcp://a.example.net:x",
        "tcp://:2376",
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@a",
        "ssh://u:secret@a",
        "ssh://a?x=1",
        "ssh://a#b",
        "ssh://[::1",
        "ssh://a:70000",
        "ssh://a b",
        "unix://run/a.sock",
        f"unix:///{'x' * 107}",
        "http://a",
        "a.example.net",
    ],
)
def test_an_address_that_is_none_is_a_mistake_and_no_silent_host(tmp_path: Path, address: str) -> None:
    tls = "tls: {ca: a, cert: a, key: a}\n" if address.startswith("tcp") else ""
    text = f"docker: '{address}'\nhost: a.example.net\n{tls}interfaces: {{data: eth1}}\n"
    ran = dtnctl(write_state(tmp_path, {ENDPOINT: text}), "validate")
    assert ran.code == 65
    assert f"state/{ENDPOINT}:1:9: E0206: " in ran.err
    assert "unix://" in ran.err
    assert "secret" not in ran.err


@pytest.mark.parametrize(
    "address", ["ssh://a", "ssh://u@a:22/run/user/1000/docker.sock", "ssh://u@[2001:db8::1]:22", "ssh://u%40x@a", "unix:///run/a.sock"]
)
def test_an_address_that_is_one_is_taken(tmp_path: Path, address: str) -> None:
    text = VALID[ENDPOINT].replace("unix:///run/a.sock", f"'{address}'")
    assert "E0206" not in dtnctl(write_state(tmp_path, {ENDPOINT: text}), "validate").err
