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
            for line, column in (("include: ['*.nc']", 1), ("exclude: [x]", 1), ("on_file_error: skip", 16))
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


def test_fields_that_go_together_are_no_problem() -> None:
    assert found("algorithm: adler32", "expected: adler32:00000001", "verify: checksum") == []
