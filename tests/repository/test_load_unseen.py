"""What reviewers do not see in a state file is refused with its name and its place; what every script writes is read."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest

from dtnctl.model.source import Source
from dtnctl.printable import is_visible, printable_text
from dtnctl.repository.yaml_source import parse_source
from tests.repository.state_folder import SESSION, VALID, problems

COMMENT = "user: dtn # harmless"


def read(text: str) -> tuple[object, list[str]]:
    """The value of a file, and what is wrong with it."""
    source = Source("x.yaml")
    parse_source(text.encode("utf-8", "surrogatepass"), source)
    return source.value, [str(problem) for problem in source.problems]


# --- line ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "code", "name"),
    [
        ("\r", "E0104", "U+000D CARRIAGE RETURN"),
        ("\x85", "E0104", "U+0085 NEXT LINE"),
        ("\u2028", "E0125", "U+2028 LINE SEPARATOR"),
        ("\u2029", "E0125", "U+2029 PARAGRAPH SEPARATOR"),
        ("\x0b", "E0104", "U+000B LINE TABULATION"),
        ("\x0c", "E0104", "U+000C FORM FEED"),
    ],
)
def test_comment_ends_only_where_its_line_does(tmp_path: Path, end: str, code: str, name: str) -> None:
    """Each of the first four ends a comment for YAML parsers: the key behind it would be read."""
    [line] = problems(tmp_path, {SESSION: f"{VALID[SESSION]}{COMMENT}{end}privileged: true\n"})
    assert line.startswith(f"state/sessions/s.yaml:4:21: {code}: ")
    assert name in line


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_both_kinds_are_read(end: str) -> None:
    assert read(f"a: 1 # x{end}b: 2{end}") == ({"a": 1, "b": 2}, [])


def test_carriage_return_before_one_that_ends_a_line_is_refused() -> None:
    assert read("a: 1\r\r\n")[1] == ["x.yaml:1:5: E0104: control character U+000D CARRIAGE RETURN; try LF or CRLF at the end of each line"]


# --- characters ---------------------------------------------------------------------------------------------

UNSEEN = [
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",  # direction
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u2061\u2064\u206a\ufff9\U0001d173\U0001bca0",  # no width
    *"\u034f\u115f\u1160\u17b4\u180b\u3164\uffa0\u2800\ufe00\ufe0f\U000e0100",  # letters and marks without ink
    *"\U000e0001\U000e0041\U000e007f",  # tags, which carry whole hidden texts
    *"\u00a0\u1680\u2000\u2003\u2009\u202f\u205f\u3000",  # spaces that are not the space
    *"\ue000\U000f0000\u0378\x00\x07\x1b\x7f\x9b",
]


@pytest.mark.parametrize("character", UNSEEN, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize(
    "line", ["a: x{}y", "a{}b: 1", "a: 1 # x{}y", 'a: "{}"', "{}a: 1"], ids=["value", "key", "comment", "quotes", "indent"]
)
def test_character_that_nobody_sees_is_refused_by_its_name(character: str, line: str) -> None:
    text = line.format(character)
    _, found = read(text)
    if text.startswith("\ufeff"):
        assert found == ["x.yaml:1:1: E0103: starts with a byte order mark; try to save it as UTF-8 without BOM"]
        return
    assert len(found) == 1
    assert found[0].startswith((f"x.yaml:1:{text.index(character) + 1}: E0104: ", f"x.yaml:1:{text.index(character) + 1}: E0125: "))
    assert f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip() in found[0]


def test_every_character_of_unicode_is_seen_or_refused() -> None:
    """What is good is listed; nothing of the categories that people do not see is among it."""
    passed = {unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1) if is_visible(chr(code))}
    assert passed <= {
        "Lu",
        "Ll",
        "Lt",
        "Lm",
        "Lo",
        "Mn",
        "Mc",
        "Me",
        "Nd",
        "Nl",
        "No",
        "Pc",
        "Pd",
        "Ps",
        "Pe",
        "Pi",
        "Pf",
        "Po",
        "Sm",
        "Sc",
        "Sk",
        "So",
        "Zs",
    }
    assert [chr(code) for code in range(sys.maxunicode + 1) if is_visible(chr(code)) and unicodedata.category(chr(code)) == "Zs"] == [" "]


@pytest.mark.parametrize(
    "text", ["Zürich ↔ 日本", "naïve e\u0301", "עברית", "हिन्दी", "⚠️ careful", "1️".removesuffix("\ufe0f"), "tab\there", "€ § ½ “x”"]
)
def test_every_script_is_read(text: str) -> None:
    assert read(f'a: "{text}" # {text}\n') == ({"a": text}, [])


def test_variation_selector_belongs_to_a_pictogram() -> None:
    """After a letter or a digit it would be a difference that people do not see; many of them would be a hidden text."""
    assert read("a: x\ufe0f")[1]
    assert read("a: 1\ufe0f")[1]
    assert read("a: ⚠\ufe0f\ufe0f")[1]


def test_escape_in_double_quotes_says_what_it_is() -> None:
    assert read(r'a: "x\u202ey\u200c"') == ({"a": "x\u202ey\u200c"}, [])


def test_space_that_is_none_is_told_from_the_one_to_write() -> None:
    assert read("a:\u00a01")[1] == [
        "x.yaml:1:3: E0125: a character that reviewers do not see as what it is: U+00A0 NO-BREAK SPACE; try a plain space"
    ]


def test_file_full_of_them_has_a_bounded_number_of_problems() -> None:
    assert len(read("\u200b" * 300_000)[1]) == 101


def test_name_of_a_file_shows_no_character_that_deceives(tmp_path: Path) -> None:
    found = problems(tmp_path, {"sessions/a\u202eb.yaml": "x: 1\n", "se\nssions.yaml": "x: 1\n", "endpoints/\u200bx.yaml": "x: 1\n"})
    assert [line.partition(": E")[0] for line in found] == [
        "state/endpoints/?x.yaml:1:1",
        "state/se?ssions.yaml:1:1",
        "state/sessions/a?b.yaml:1:1",
    ]


# --- one line for one text ----------------------------------------------------------------------------------


def test_shown_text_keeps_what_people_see_and_nothing_else() -> None:
    assert printable_text("a\nb\u202ec é 日本 ⚠\ufe0f") == "a\\nb\\u202ec é 日本 ⚠\ufe0f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=a::x", ": :error file=a::x"),
        ("a  ::error::x", "a  : :error::x"),
        ("fd00::1 and ::1 and ::ffff:10.0.0.1", "fd00::1 and ::1 and ::ffff:10.0.0.1"),
        ("a ##[error]b", "a ## [error]b"),
        ("##vso[task.complete] ##teamcity[x]", "## vso[task.complete] ## teamcity[x]"),
        ("## a heading, and #1 and ##", "## a heading, and #1 and ##"),
    ],
)
def test_command_of_a_workflow_is_not_obeyed_and_addresses_stay(text: str, shown: str) -> None:
    assert printable_text(text) == shown
