"""Files that cannot be read as what they are meant to be, each with the very lines that people get to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.state_folder import PROFILE, SESSION, VALID, Case, Changes, more, problems

CASES: list[Case] = [
    (
        "tab",
        more(SESSION, "\tuser: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0106: a tab in the indentation; try spaces",
        ],
    ),
    (
        "tab in a block text",
        more(SESSION, "user: |\n\tx\n"),
        [
            "state/sessions/s.yaml:5:1: E0106: a tab in the indentation; try spaces",
        ],
    ),
    (
        "second colon",
        more(SESSION, "user: a: b\n"),
        [
            "state/sessions/s.yaml:4:8: E0105: a `:` stands where no key can be; try quotes around the value, or less indentation",
        ],
    ),
    (
        "list is not closed",
        more(SESSION, "user: [a\n"),
        [
            "state/sessions/s.yaml:5:1: E0105: the list that starts with `[` is not closed; try a `]`",
        ],
    ),
    (
        "mapping is not closed",
        more(SESSION, "user: {a\n"),
        [
            "state/sessions/s.yaml:5:1: E0105: the mapping that starts with `{` is not closed; try a `}`",
        ],
    ),
    (
        "single quote is not closed",
        more(SESSION, "user: 'a\n"),
        [
            "state/sessions/s.yaml:4:7: E0105: the quotes are never closed; try the same quote at the end of the text",
        ],
    ),
    (
        "double quote is not closed",
        more(SESSION, 'user: "a\n'),
        [
            "state/sessions/s.yaml:4:7: E0105: the quotes are never closed; try the same quote at the end of the text",
        ],
    ),
    (
        "unknown escape",
        more(SESSION, 'user: "\\q"\n'),
        [
            "state/sessions/s.yaml:4:8: E0105: unknown escape after `\\` in double quotes; try single quotes, or `\\\\` for a backslash",
        ],
    ),
    (
        "at sign",
        more(SESSION, "@x: 1\n"),
        [
            "state/sessions/s.yaml:4:1: E0105: text cannot start with `@`; try quotes around the text",
        ],
    ),
    (
        "backtick",
        more(SESSION, "user: `x`\n"),
        [
            "state/sessions/s.yaml:4:7: E0105: text cannot start with a backtick; try quotes around the text",
        ],
    ),
    (
        "key without colon",
        more(SESSION, "user\n"),
        [
            "state/sessions/s.yaml:5:1: E0105: this line is not `key: value`; try a `:` and a space after the key, or more indentation",
        ],
    ),
    (
        "too much indentation",
        more(SESSION, " user: x\n"),
        [
            "state/sessions/s.yaml:4:6: E0105: a `:` stands where no key can be; try quotes around the value, or less indentation",
        ],
    ),
    (
        "too little indentation",
        {SESSION: "image: x\n  user: y\n"},
        [
            "state/sessions/s.yaml:2:7: E0105: a `:` stands where no key can be; try quotes around the value, or less indentation",
        ],
    ),
    (
        "list and keys mixed",
        {SESSION: "endpoints:\n  - a\n  image: x\n"},
        [
            "state/sessions/s.yaml:3:3: E0105: a list goes on without `-`; try `- ` at the start of the line, or more indentation",
        ],
    ),
    (
        "keys and list mixed",
        more(SESSION, "- a\n"),
        [
            "state/sessions/s.yaml:4:1: E0105: no key where one was expected; try the same indentation as the lines above",
        ],
    ),
    (
        "list after a key on its line",
        more(SESSION, "user: - a\n"),
        [
            "state/sessions/s.yaml:4:7: E0105: a list cannot start here; try the `-` on a line of its own, or [a, b]",
        ],
    ),
    (
        "value is missing",
        more(SESSION, "user: [,]\n"),
        [
            "state/sessions/s.yaml:4:8: E0105: a value is missing here; try a value, or close what was opened",
        ],
    ),
    (
        "unknown tag handle",
        more(SESSION, "user: !a!b y\n"),
        [
            "state/sessions/s.yaml:4:7: E0105: a tag (`!…`) has no meaning here; try quotes around the text",
        ],
    ),
    (
        "unknown YAML version",
        {SESSION: "%YAML 2.0\n---\na: 1\n"},
        [
            "state/sessions/s.yaml:1:1: E0105: this YAML version is not known; try to remove the %YAML line",
        ],
    ),
    (
        "percent sign",
        more(SESSION, "user: %x\n"),
        [
            "state/sessions/s.yaml:4:7: E0105: text cannot start with `%`; try quotes around the text",
        ],
    ),
    (
        "file is a list",
        {SESSION: "- a\n"},
        [
            "state/sessions/s.yaml:1:1: E0109: the file is a list, not a mapping; try `key: value` lines",
        ],
    ),
    (
        "file is a text",
        {SESSION: "hello\n"},
        [
            "state/sessions/s.yaml:1:1: E0109: the file is a single value, not a mapping; try `key: value` lines",
        ],
    ),
    (
        "file is empty",
        {SESSION: ""},
        [
            "state/sessions/s.yaml:1:1: E0107: is empty; try to write the object, or remove the file",
        ],
    ),
    (
        "file has comments only",
        {SESSION: "# nothing yet\n"},
        [
            "state/sessions/s.yaml:1:1: E0107: is empty; try to write the object, or remove the file",
        ],
    ),
    (
        "file has a marker only",
        {SESSION: "---\n"},
        [
            "state/sessions/s.yaml:1:1: E0107: is empty; try to write the object, or remove the file",
        ],
    ),
    (
        "second document",
        more(SESSION, "---\nname: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0108: a second document starts here; try one file for each object",
        ],
    ),
    (
        "key twice",
        more(SESSION, "image: y\n"),
        [
            "state/sessions/s.yaml:4:1: E0110: the key `image` is written twice, first on line 2; try to remove one",
        ],
    ),
    (
        "key twice in a mapping in one line",
        more(SESSION, "settings: {init: true, init: false}\n"),
        [
            "state/sessions/s.yaml:4:24: E0110: the key `init` is written twice, first on line 4; try to remove one",
        ],
    ),
    (
        "key is a number",
        more(SESSION, "1: x\n"),
        [
            'state/sessions/s.yaml:4:1: E0111: the key `1` is a number, not text; try "1" in quotes',
        ],
    ),
    (
        "key is null",
        more(SESSION, "~: x\n"),
        [
            'state/sessions/s.yaml:4:1: E0111: the key `~` is null, not text; try "~" in quotes',
        ],
    ),
    (
        "key is true",
        more(SESSION, "true: x\n"),
        [
            'state/sessions/s.yaml:4:1: E0111: the key `true` is a truth value, not text; try "true" in quotes',
        ],
    ),
    (
        "key is on",
        more(SESSION, "on: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0111: the key `on` is a number or a truth value for some readers of YAML, not text"
            '; try "on" in quotes',
        ],
    ),
    (
        "key is a list",
        more(SESSION, "? [a]\n: x\n"),
        [
            "state/sessions/s.yaml:4:3: E0111: a key must be text, not a list, a mapping or an alias",
        ],
    ),
    (
        "key is a mapping",
        more(SESSION, "{a: {b: c}}: x\n"),
        [
            "state/sessions/s.yaml:4:1: E0111: a key must be text, not a list, a mapping or an alias",
        ],
    ),
    (
        "merge key",
        more(SESSION, "<<: {user: x}\n"),
        [
            "state/sessions/s.yaml:4:1: E0112: merge keys (`<<`) are not read; try a profile's `extends:`, or to write the keys out",
        ],
    ),
    (
        "alias",
        more(SESSION, "user: &x y\nsettings: {user: *x}\n"),
        [
            "state/sessions/s.yaml:4:7: E0113: anchors (`&x`) are not read; try to remove it",
            "state/sessions/s.yaml:5:18: E0113: aliases (`*x`) are not read"
            "; try to write the value again, or share it by a profile's `extends:`",
        ],
    ),
    (
        "tag",
        more(SESSION, "user: !!str 5\n"),
        [
            "state/sessions/s.yaml:4:7: E0116: the tag `!!str` has no meaning here; try to remove it",
        ],
    ),
    (
        "tag on a mapping",
        more(SESSION, "settings: !x {init: true}\n"),
        [
            "state/sessions/s.yaml:4:11: E0116: the tag `!x` has no meaning here; try to remove it",
        ],
    ),
    (
        "tag on a key",
        more(SESSION, "!x user: a\n"),
        [
            "state/sessions/s.yaml:4:1: E0116: the tag `!x` has no meaning here; try to remove it",
        ],
    ),
    (
        "no",
        more(SESSION, "user: no\n"),
        [
            'state/sessions/s.yaml:4:7: E0114: `no` is false in YAML 1.1 and text in YAML 1.2; try false, or "no" in quotes',
        ],
    ),
    (
        "Yes",
        more(PROFILE, "init: Yes\n"),
        [
            'state/profiles/p.yaml:3:7: E0114: `Yes` is true in YAML 1.1 and text in YAML 1.2; try true, or "Yes" in quotes',
        ],
    ),
    (
        "restart no",
        more(PROFILE, "restart: no\n"),
        [
            'state/profiles/p.yaml:3:10: E0114: `no` is false in YAML 1.1 and text in YAML 1.2; try false, or "no" in quotes',
        ],
    ),
    (
        "base 60",
        more(SESSION, "user: 22:22\n"),
        [
            "state/sessions/s.yaml:4:7: E0114: `22:22` is one thing in YAML 1.1 and another in YAML 1.2"
            '; try "22:22" in quotes, or the number in plain decimal digits',
        ],
    ),
    (
        "octal of YAML 1.1",
        more(SESSION, "user: 017\n"),
        [
            "state/sessions/s.yaml:4:7: E0114: `017` is one thing in YAML 1.1 and another in YAML 1.2"
            '; try "017" in quotes, or the number in plain decimal digits',
        ],
    ),
    (
        "octal of YAML 1.2",
        more(SESSION, "user: 0o17\n"),
        [
            "state/sessions/s.yaml:4:7: E0114: `0o17` is one thing in YAML 1.1 and another in YAML 1.2"
            '; try "0o17" in quotes, or the number in plain decimal digits',
        ],
    ),
    (
        "number with underscores",
        more(PROFILE, "internal_port: 1_000\n"),
        [
            "state/profiles/p.yaml:3:16: E0114: `1_000` is one thing in YAML 1.1 and another in YAML 1.2"
            '; try "1_000" in quotes, or the number in plain decimal digits',
        ],
    ),
    (
        "number with exponent",
        more(PROFILE, "memory: 1e9\n"),
        [
            "state/profiles/p.yaml:3:9: E0114: `1e9` is one thing in YAML 1.1 and another in YAML 1.2"
            '; try "1e9" in quotes, or the number in plain decimal digits',
        ],
    ),
    (
        "infinity",
        more(PROFILE, "cpus: .inf\n"),
        [
            'state/profiles/p.yaml:3:7: E0115: `.inf` is no number that can be used; try ".inf" in quotes, if it is text',
        ],
    ),
    (
        "endless number",
        more(SESSION, f"user: {'9' * 60}\n"),
        [
            "state/sessions/s.yaml:4:7: E0115: the number `9999999999999999999999999999999999999999…` is too large"
            "; try quotes, if it is text",
        ],
    ),
    (
        "endless fraction",
        more(PROFILE, "cpus: 1.0e+999\n"),
        [
            "state/profiles/p.yaml:3:7: E0115: the number `1.0e+999` is too large; try quotes, if it is text",
        ],
    ),
    (
        "NUL",
        {SESSION: VALID[SESSION].encode() + b"user: a\x00b\n"},
        [
            "state/sessions/s.yaml:4:8: E0104: control character U+0000 NULL; try to remove it",
        ],
    ),
    (
        "other control character",
        more(SESSION, "user: a\x07b\n"),
        [
            "state/sessions/s.yaml:4:8: E0104: control character U+0007; try to remove it",
        ],
    ),
    (
        "not UTF-8",
        {SESSION: VALID[SESSION].encode() + b"user: \xff\n"},
        [
            "state/sessions/s.yaml:4:7: E0103: byte 48 (0xff) is not UTF-8; try to save it as UTF-8",
        ],
    ),
    (
        "not UTF-8 in the middle of a line with accents",
        {SESSION: VALID[SESSION].encode() + b"user: \xc3\xa9\xff\n"},
        [
            "state/sessions/s.yaml:4:8: E0103: byte 50 (0xff) is not UTF-8; try to save it as UTF-8",
        ],
    ),
    (
        "byte order mark",
        {SESSION: b"\xef\xbb\xbf" + VALID[SESSION].encode()},
        [
            "state/sessions/s.yaml:1:1: E0103: starts with a byte order mark; try to save it as UTF-8 without BOM",
        ],
    ),
    (
        "UTF-16",
        {SESSION: VALID[SESSION].encode("utf-16")},
        [
            "state/sessions/s.yaml:1:1: E0103: is UTF-16, not UTF-8; try to save it as UTF-8",
        ],
    ),
    (
        "nested a hundred times",
        more(SESSION, f"user: {'[' * 100}\n"),
        [
            "state/sessions/s.yaml:4:39: E0117: nested deeper than 32 levels",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "lines"), [pytest.param(changes, lines, id=name) for name, changes, lines in CASES])
def test_file_that_cannot_be_read_is_explained(tmp_path: Path, changes: Changes, lines: list[str]) -> None:
    assert problems(tmp_path, changes) == lines
