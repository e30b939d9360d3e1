"""Items of a transfer that cannot be, each reported at its line and column."""

from __future__ import annotations

import pytest

from tests.model.sites import problems

SESSION = "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/data', '/r:/data/kept:ro']}\n"


def found(*lines: str, tool: str = "gridftp", head: str = "from: a:/data/in/\nto: b:/data/\n") -> list[str]:
    text = f"{head}tool: {tool}\n" + "\n".join(lines)
    return [item.removeprefix("transfers/t.yaml:") for item in problems({"sessions/s": SESSION, "transfers/t": text + "\n"})]


def test_items_that_are_right_are_no_problem() -> None:
    assert found("items: [a, {from: b, to: x/}, /data/in/c/, 'd*']", "on_file_error: skip", tool="rsync") == []
    assert found("items:", "  - a", "  - {from: 'b*', to: x/}", "sync_level: size", "pipelining: true") == []


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("items: [a]", "include: [b]"), "5:1: E0337: `include` and `items` both choose what is copied; try `items` with a pattern"),
        (
            ("items:", "  - a", "  - {from: /x/b}"),
            "6:5: E0338: `/x/b` is not below /data/in/, the `from` of the transfer; try names below the folders of the transfer",
        ),
        (("items:", "  - {from: a, to: x}", "  - {from: a, to: y}"), "6:12: E0338: `a` is the `from` of item 1, too; try one item of them"),
        (("items:", "  - {from: a, to: x}", "  - {from: b, to: x}"), "6:19: E0338: `x` is the `to` of item 1, too; try one item of them"),
        (
            ("items:", "  - {from: a, to: x}", "  - {from: b, to: kept/x}"),
            "6:19: E0335: /data/kept/x on b is in a volume that is read-only (`/data/kept`, sessions/s.yaml:3); "
            "try `mode: rw`, or another volume",
        ),
        (
            ("items:", "  - {from: a, to: .ssh/x}"),
            "5:19: E0334: /data/.ssh/x on b holds the keys of logins; transfers copy data only; try a path below /data/…",
        ),
    ],
)
def test_an_item_that_cannot_be_is_named_at_its_line(lines: tuple[str, ...], problem: str) -> None:
    assert found(*lines) == [problem]


def test_a_place_that_is_wrong_for_all_items_is_reported_once() -> None:
    [line] = found("items: [a, b]", head="from: a:/data/in/\nto: b:/data/kept/\n")
    assert line.startswith("2:5: E0335: /data/kept/ on b is in a volume that is read-only")


def test_a_tool_without_items_says_so_at_their_line() -> None:
    [line] = [item for item in found("items: [a]", tool="xrootd") if "E0343" in item]
    assert line.startswith("4:1: E0343: xrootd has no `items`; try to remove it, or `tool: gridftp` or ")


def test_tools_that_copy_one_after_the_other_skip_items_alone() -> None:
    [line] = found("recursive: true", "on_file_error: skip", tool="rsync")
    assert line == (
        "5:16: E0337: rsync goes on after a file that fails only where its files are `items`; try to remove it, or `tool: gridftp`"
    )


def test_more_names_than_fit_into_a_command_are_refused() -> None:
    names = [f"{number:03d}{'x' * 200}" for number in range(400)]
    [line] = found(f"items: [{', '.join(names)}]")
    assert line.startswith("4:1: E0337: these names are 81200 characters, and 65536 fit into a command; try folders and patterns")
