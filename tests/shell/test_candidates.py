"""What TAB offers."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.cli.shell.candidates import Sources, candidates
from dtnctl.cli.shell.tree import Entry, Field, Folder

SESSION = Folder((Entry("state", Field("STARTED")), Entry("services", Folder((Entry("dtn1", Folder()), Entry("dtn2", Folder()))))))
SEEN = {"active": Folder((Entry("active", Folder((Entry("climate", SESSION, 8, "8: …"), Entry("ofed", Folder(), 12, "12: …")))),))}


def from_files(word: str) -> list[str]:
    depth = word.count("/")
    return [name for name in ("active/", "profiles/", "active/climate") if name.startswith(word) and name[:-1].count("/") == depth]


FROM_FILES = Sources(
    here=(),
    seen={},
    places=from_files,
    of_program=lambda words, last: [(word, "") for word in ("climate", "--commit", ":files") if word.startswith(last)],
    remote=lambda endpoint, path: [f"{path}1T", f"{path}run/"] if endpoint == "dtn1" else [],
)
SEEN_BEFORE = replace(FROM_FILES, seen=SEEN)


def offered(line: str, sources: Sources = SEEN_BEFORE) -> list[str]:
    return [word for word, _ in candidates(line, sources)[1]]


def test_commands_are_the_shells_and_dtnctls_with_their_meaning() -> None:
    last, found = candidates("se", SEEN_BEFORE)
    assert last == "se"
    assert [word for word, _ in found] == ["sessions", "session"]
    assert all(meaning for _, meaning in found)
    assert {"cd", "undo", "plan", "apply"} <= set(offered(""))
    assert "shell" not in offered("")


def test_paths_are_those_of_the_last_look_with_numbers_and_names() -> None:
    assert offered("cd active/") == ["active/8/", "active/climate/", "active/12/", "active/ofed/"]
    assert offered("ls /active/8/s") == ["/active/8/state", "/active/8/services/"]
    assert offered("cd services/dtn", replace(SEEN_BEFORE, here=("active", "8"))) == ["services/dtn1/", "services/dtn2/"]
    assert offered("cd ../1", replace(SEEN_BEFORE, here=("active", "8"))) == ["../12/"]
    assert offered("ls active/9/") == []
    assert offered("ls active/8/state/") == []


def test_without_a_look_paths_are_those_of_files() -> None:
    assert offered("cd ", FROM_FILES) == ["active/", "profiles/"]
    assert offered("cd act", FROM_FILES) == ["active/"]
    assert offered("cd cli", replace(FROM_FILES, here=("active",))) == ["climate"]


def test_the_talks_words_are_offered() -> None:
    assert "transfers" in offered("show t")
    assert offered("show transfers ") == ["log"]
    assert "climate" in offered("show transfers log ")
    assert "src" in offered("show transfers log 2 ")
    assert offered("diff ") == ["last"]
    assert offered("undo ") == []


def test_options_and_names_are_those_of_the_command_line() -> None:
    assert offered("session start cl") == ["climate"]
    assert offered("dtnctl session start --c") == ["--commit"]
    assert offered("watch ls act", FROM_FILES) == ["active/"]
    assert ":files" not in offered("plan --out ")


def test_ends_of_transfers_are_asked_of_their_endpoint() -> None:
    assert offered("transfer dtn1:/data/") == ["dtn1:/data/1T", "dtn1:/data/run/"]
    assert offered("transfer dtn1:/data/1T dtn2:/da") == []
    assert offered("transfer cl") == ["climate"]
