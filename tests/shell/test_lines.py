"""What typed lines mean."""

from __future__ import annotations

import pytest

from dtnctl.cli.shell.lines import Names, from_place, is_edit, lists, meant, numbers_in, with_names, words_of, writes
from dtnctl.cli.shell.valued import valued_options
from dtnctl.errors import UsageError

NAMES = Names({"8": "climate", "12": "ofed"}.get, {"1": "run14", "2": "copy"}.get)  # type: ignore[arg-type]  # every number is known here


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   # a comment", []),
        ("cd active  # there", ["cd", "active"]),
        ("dtnctl plan --all", ["plan", "--all"]),
        ("dtnctl", []),
        ("dtnctl dtnctl", []),
        ("commit -m 'two words'", ["commit", "-m", "two words"]),
        ('transfer "a:/data/with blank" b:/x rsync', ["transfer", "a:/data/with blank", "b:/x", "rsync"]),
    ],
)
def test_lines_are_split_as_in_a_shell(line: str, words: list[str]) -> None:
    assert words_of(line) == words


def test_open_quotes_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="no closing quotation; close the quotes"):
        words_of("commit -m 'half")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("show transfers", "ls /transfers"),
        ("show sessions", "ls /active"),
        ("show endpoints", "ls /endpoints"),
        ("show transfers log 2", "transfers logs 2"),
        ("show transfers log 2 src", "transfers logs 2 --source"),
        ("show transfer log 2 dst", "transfers logs 2 --destination"),
        ("show transfers log 2 -f", "transfers logs 2 -f"),
        ("show session climate", "session show climate"),
        ("show transfers 1 -o json", "transfers show 1 -o json"),
        ("show 4f2c1e9", "show 4f2c1e9"),
        ("show", "show"),
        ("ls active -o json", "dtnctl ls active -o json"),
        ("ls active", "ls active"),
        ("session start 12", "session start 12"),
    ],
)
def test_words_of_the_talk_are_those_of_dtnctl(typed: str, words: str) -> None:
    assert meant(typed.split()) == words.split()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("session start 12", "session start ofed"),
        ("sessions stop 8 12 --commit", "sessions stop climate ofed --commit"),
        ("transfers logs -f 2", "transfers logs -f copy"),
        ("transfers logs 1 --tail 2", "transfers logs run14 --tail 2"),
        ("sessions logs 8 --endpoint 12", "sessions logs climate --endpoint 12"),
        ("transfer a:/x b:/y gridftp --session 8", "transfer a:/x b:/y gridftp --session climate"),
        ("plan --target session/8 --target transfer/1", "plan --target session/climate --target transfer/run14"),
        ("transfer a:/x b:/y gridftp --streams 8", "transfer a:/x b:/y gridftp --streams 8"),
        ("session create a,b image 8", "session create a,b image 8"),
        ("history --limit 8", "history --limit 8"),
    ],
)
def test_numbers_become_names_where_a_name_belongs_and_only_there(typed: str, words: str) -> None:
    assert with_names(typed.split(), NAMES, valued_options) == words.split()


def test_numbers_are_looked_for_before_anything_is_read() -> None:
    assert numbers_in(["session", "start", "12"])
    assert numbers_in(["plan", "--target", "session/8"])
    assert not numbers_in(["session", "start", "climate"])


@pytest.mark.parametrize(
    ("typed", "edits", "changes"),
    [
        ("session create a image x", True, True),
        ("sessions delete climate", True, True),
        ("transfer a:/x b:/y rsync", True, True),
        ("transfer --verify size a:/x b:/y rsync", True, True),
        ("transfers create a:/x b:/y rsync", True, True),
        ("session start climate --apply", False, True),
        ("session start --help", False, True),
        ("rollback climate --write", False, True),
        ("fmt", False, True),
        ("endpoints add new --ssh x", False, True),
        ("transfers logs run14", False, False),
        ("session show climate", False, False),
        ("endpoints list", False, False),
        ("transfers", False, False),
        ("plan", False, False),
    ],
)
def test_what_writes_files_is_known_by_its_words(typed: str, edits: bool, changes: bool) -> None:
    assert (is_edit(typed.split()), writes(typed.split())) == (edits, changes)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ls -o json", "ls /active/8 -o json"),
        ("ls services -o json", "ls /active/8/services -o json"),
        ("ls -o json --timeout 5 ..", "ls -o json --timeout 5 /active"),
        ("ls --output=json /transfers", "ls --output=json /transfers"),
    ],
)
def test_lists_with_options_begin_where_the_shell_stands(typed: str, words: str) -> None:
    assert from_place(typed.split(), ("active", "8"), valued_options) == words.split()


@pytest.mark.parametrize(
    ("typed", "is_list"),
    [
        ("transfers list", True),
        ("session show climate", True),
        ("rollback show --commit", False),
        ("destroy list", False),
        ("session start show", False),
        ("transfers", False),
    ],
)
def test_what_only_shows_is_known_by_its_words(typed: str, is_list: bool) -> None:
    assert lists(typed.split()) is is_list
