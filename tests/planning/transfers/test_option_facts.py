"""Which options of a transfer a plan shows."""

from __future__ import annotations

import pytest

from dtnctl.model.scitags import Scitag
from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.planning.transfers.option_facts import option_facts, rate_facts

DEFAULT = [("verify", "checksum by md5, from 1 GiB on by sha256 where both ends compute that faster")]


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (TransferOptions(), DEFAULT),
        (TransferOptions(algorithm="sha256"), [("verify", "checksum by sha256")]),
        (TransferOptions(algorithm="sha256", verify="size"), [("verify", "size")]),
        (TransferOptions(algorithm="crc32c"), [("verify", "checksum by crc32c")]),
        (TransferOptions(algorithm="auto"), [("verify", "checksum by md5, from 1 GiB on by crc32c or adler32 if both images have it")]),
        (TransferOptions(expected="md5:00"), [*DEFAULT, ("expected", "md5:00")]),
        (TransferOptions(links="follow"), [*DEFAULT, ("links", "followed")]),
        (
            TransferOptions(links="omit", include=("*.nc", "calib"), exclude=("tmp",)),
            [*DEFAULT, ("links", "left out"), ("include", "*.nc, calib"), ("exclude", "tmp")],
        ),
        (
            TransferOptions(items=(Item("a", "a"), Item("b/", "", "*.nc"), Item("c", "d"))),
            [*DEFAULT, ("items", "a, b/*.nc → ./, c → d")],
        ),
        (
            TransferOptions(items=(Item("a", "a"),) * 5),
            [*DEFAULT, ("items", "a, a, a and 2 more")],
        ),
        (
            TransferOptions(restarts=3, pipelining=True),
            [*DEFAULT, ("restarts", "up to 3 within a try"), ("pipelining", "on")],
        ),
        (
            TransferOptions(sync_level="size", preserve_times=True, on_file_error="skip"),
            [
                *DEFAULT,
                ("sync level", "size: what is there with the source's size is left as it is"),
                ("times", "those of the source"),
                ("file errors", "the file is skipped, the others are copied"),
            ],
        ),
    ],
)
def test_what_a_reviewer_would_not_know_otherwise_is_shown(options: TransferOptions, facts: list[tuple[str, str]]) -> None:
    assert list(option_facts(options)) == facts


def test_a_rate_is_shown_of_every_tool() -> None:
    assert list(rate_facts(TransferOptions(max_rate=500_000))) == [("max rate", "500mbit")]
    assert list(rate_facts(TransferOptions())) == []


def test_the_mark_of_flows_is_shown_with_the_collector() -> None:
    marked = TransferOptions(scitag=Scitag(16, 3, "flows.example.net"))
    assert list(rate_facts(marked)) == [("scitag", "experiment 16, activity 3, fireflies to flows.example.net port 10514")]
