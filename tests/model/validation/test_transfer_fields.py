"""Fields of one transfer that do not go together, each reported at its line and column."""

from __future__ import annotations

import pytest

from tests.model.sites import problems

SESSION = "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/data']}\n"


def found(*lines: str) -> list[str]:
    text = "\n".join(["from: a:/data/x", "to: b:/data/x", "tool: gridftp", *lines])
    return problems({"sessions/s": SESSION, "transfers/t": text + "\n"})


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            ("expected: adler32:00000001", "verify: size"),
            "5:9: E0337: `expected` needs the source's checksum, which `verify: size` does not compute; "
            "try `verify: checksum`, or to remove `expected`",
        ),
        (
            ("algorithm: md5", "expected: adler32:00000001"),
            "4:12: E0337: `expected` is a checksum by adler32, and `algorithm` is md5; try `algorithm: adler32`, or to remove it",
        ),
        *[
            (
                (line,),
                f"4:{column}: E0337: `{line.partition(':')[0]}` is about the files of a folder, and this transfer copies one file; "
                "try `recursive: true`, or to remove it",
            )
            for line, column in (("include: ['*.nc']", 1), ("exclude: [x]", 1), ("on_file_error: skip", 16), ("pipelining: true", 13))
        ],
    ],
)
def test_the_field_to_change_is_named(lines: tuple[str, ...], problem: str) -> None:
    assert found(*lines) == [f"transfers/t.yaml:{problem}"]


def test_a_copy_that_goes_on_without_a_file_has_to_look_what_arrived() -> None:
    folder = ["from: a:/data/x/", "to: b:/data/x/", "tool: gridftp", "recursive: true", "on_file_error: skip", "verify: none"]
    assert problems({"sessions/s": SESSION, "transfers/t": "\n".join(folder) + "\n"}) == [
        "transfers/t.yaml:6:9: E0337: `on_file_error: skip` needs to know what arrived, and `verify: none` does not look; "
        "try `verify: size`"
    ]
    assert problems({"sessions/s": SESSION, "transfers/t": "\n".join([*folder[:5], "include: [x]"]) + "\n"}) == []


def test_files_that_are_asked_for_early_cannot_be_skipped_one_by_one() -> None:
    """Seen with globus-url-copy 10.12: of 120 files two of which may not be read, 118 arrive, with -pp about 100."""
    folder = ["from: a:/data/x/", "to: b:/data/x/", "tool: gridftp", "recursive: true", "pipelining: true", "on_file_error: skip"]
    assert problems({"sessions/s": SESSION, "transfers/t": "\n".join(folder) + "\n"}) == [
        "transfers/t.yaml:5:13: E0337: after a file that fails, globus-url-copy loses those that it has asked for already, which "
        "`on_file_error: skip` would copy; try to remove one of the two"
    ]


def test_a_file_that_is_joined_of_parts_is_compared() -> None:
    assert found("restarts: 3", "verify: none") == [
        "transfers/t.yaml:5:9: E0337: `restarts` joins a file of parts that were read at different times, and `verify: none` would not see "
        "that they do not fit; try `verify: size`"
    ]
    assert found("restarts: 3", "verify: size") == []


def test_a_tool_that_cannot_limit_its_rate_leaves_it_to_the_agent() -> None:
    [line] = found("max_rate: 500mbit")
    assert line.startswith(
        "transfers/t.yaml:4:11: E0343: gridftp has no `max_rate`; try `qos: {rate: …}` of the session, or to remove it, or "
    )


def test_fields_that_go_together_are_no_problem() -> None:
    assert found("algorithm: adler32", "expected: adler32:00000001", "verify: checksum") == []
