"""Commands as people type them who know other programs: both forms of nouns, foreign verbs, options before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dtnctl.cli.commands import COMMANDS, SINGULAR
from dtnctl.cli.examples import EXAMPLES
from dtnctl.cli.foreign import COMMANDS as FOREIGN
from dtnctl.cli.foreign import LISTING, SHOWING, VERBS
from tests.repository.state_folder import SESSION, TRANSFER, VALID, write_state
from tests.runtime.program import dtnctl


@pytest.mark.parametrize("noun", SINGULAR)
def test_singular_has_the_verbs_of_the_plural(tmp_path: Path, noun: str) -> None:
    def verbs(word: str) -> list[str]:
        return re.findall(r"^  (\w+) ", dtnctl(tmp_path, word, "--help").out.partition("Commands:")[2], re.MULTILINE)

    assert verbs(noun) == verbs(SINGULAR[noun]) != []


HINTS = {
    "ps": "`dtnctl status`, or `dtnctl sessions list`",
    "get sessions": "`dtnctl sessions list`",
    "get session s": "`dtnctl sessions show s`",
    "describe endpoint a": "`dtnctl endpoints show a`",
    "list transfers": "`dtnctl transfers list`",
    "describe": "`dtnctl sessions show NAME`, `dtnctl transfers show NAME` or `dtnctl endpoints show NAME`",
    "delete session s": "`dtnctl sessions delete s`",
    "start session s": "`dtnctl sessions start s`",
    "logs s": "`dtnctl sessions logs NAME` or `dtnctl transfers logs NAME`",
    "hosts": "`dtnctl endpoints list`",
    "aply": "`dtnctl apply`",
    "endpoitns list": "`dtnctl endpoints`",
    "sessions ls": "`dtnctl sessions list`",
    "session ps": "`dtnctl session list`",
    "session get s": "`dtnctl session show s`",
    "sessions rm s": "`dtnctl sessions delete s`",
    "transfers kill t": "`dtnctl transfers cancel t`",
    "transfers ls": "`dtnctl transfers list`",
    "endpoints describe a": "`dtnctl endpoints show a`",
    "networks get data": "`dtnctl networks show data`",
    "sessions lits": "`dtnctl sessions list`",
    "profiles frobnicate": "one of list, show",
}


@pytest.mark.parametrize(("typed", "hint"), HINTS.items(), ids=HINTS.keys())
def test_foreign_word_leads_to_the_right_command(tmp_path: Path, typed: str, hint: str) -> None:
    ran = dtnctl(tmp_path, *typed.split())
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.splitlines()[0].endswith(f"; try {hint}")


def test_no_foreign_word_is_one_of_ours_and_every_hint_is_a_command() -> None:
    assert not set(FOREIGN) & set(COMMANDS)
    named = {path for hint in FOREIGN.values() for path in re.findall(r"`dtnctl ([a-z ]+?)(?: [A-Z-].*?)?`", hint)}
    assert named <= {*EXAMPLES, *COMMANDS, "transfer"}
    assert {*LISTING, *SHOWING} <= set(VERBS)


def test_transfer_is_declared_without_a_verb(tmp_path: Path) -> None:
    write_state(tmp_path)
    for words in (
        ["transfer", "a:/data/1", "b:/data/1", "gridftp"],
        ["transfers", "a:/data/2", "b:/data/2", "gridftp"],
        ["transfers", "create", "a:/data/3", "b:/data/3", "gridftp"],
        ["transfer", "--verify", "size", "a:/data/4", "b:/data/4", "gridftp"],
    ):
        ran = dtnctl(tmp_path, *words)
        assert ran.code == 0, ran.err
    assert len(list((tmp_path / "state/transfers").iterdir())) == 5


@pytest.mark.parametrize("words", ["-C {} validate", "validate -C {}", "validate --chdir={}", "network -C {} list", "networks list -C{}"])
def test_folder_stands_before_or_after_the_command(tmp_path: Path, words: str) -> None:
    write_state(tmp_path / "site")
    assert dtnctl(tmp_path, *words.format("site").split()).code == 0


def test_folders_add_up_as_with_git(tmp_path: Path) -> None:
    write_state(tmp_path / "group/site")
    assert dtnctl(tmp_path, "-C", "group", "validate", "-C", "site").code == 0


def test_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = dtnctl(tmp_path, "plan", "-C", "nowhere")
    assert (ran.code, ran.err.splitlines()[0]) == (64, "cannot work in nowhere: No such file or directory")


# --- names that are mistyped --------------------------------------------------------------------------------

MISTYPED = {
    "sessions show clmate": "no session named clmate; try `climate`",
    "transfers show rn14": "no transfer named rn14; try `run14`",
    "transfers logs rn14": "no transfer named rn14; try `run14`",
    "endpoints show starlihgt": "no endpoint named starlihgt; try `starlight`",
    "networks show dta": "no network named dta; try `data`",
    "profiles show pp": "no profile named pp; try `p`",
    "unlock starlihgt": "no endpoint named starlihgt; try `starlight`",
    "sessions logs clmate": "no session named clmate; try `climate`",
    "plan --target session/clmate": "nothing is named session/clmate; try `session/climate`",
    "plan --exclude rn14": "nothing is named rn14; try `run14`",
    "apply --replace clmate": "nothing is named clmate; try `climate`",
    "destroy --dry-run --target starlight": "nothing is named starlight; try `endpoint/starlight`",
}


@pytest.mark.parametrize(("typed", "line"), MISTYPED.items(), ids=MISTYPED.keys())
def test_mistyped_name_gets_the_nearest_one_only(tmp_path: Path, typed: str, line: str) -> None:
    silent = "docker: unix:///nowhere/none.sock\nhost: h.example.net\ninterfaces: {data: eth1}\n"
    changes: dict[str, str | None] = {"endpoints/a.yaml": silent, "endpoints/b.yaml": silent, "endpoints/starlight.yaml": silent}
    changes |= {"sessions/s.yaml": None, "transfers/t.yaml": None}
    changes |= {"sessions/climate.yaml": VALID[SESSION], "transfers/run14.yaml": VALID[TRANSFER].replace("session: s", "session: climate")}
    write_state(tmp_path, changes)
    ran = dtnctl(tmp_path, *typed.split())
    assert (ran.code, ran.err) == (64, f"{line}\ndtnctl: usage (64)\n")
