"""Counters of both ends of a transfer over a path: what they are, or why they are not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.providers.base import Ran
from dtnctl.runtime.transfers.over_path import read_counters


class Service:
    """An engine whose service answers so to the one command, or fails so."""

    def __init__(self, answer: Ran | Exception) -> None:
        self.answer = answer

    def run(self, *_: object, **__: object) -> Ran:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def counters_with(answer: Ran | Exception) -> str:
    end = SimpleNamespace(container="c", user="dtn", path_name="near")
    task: Any = SimpleNamespace(source=end, ends=((Service(answer), end), (Service(Ran(0, b"fine\n", b"")), end)))
    return read_counters(task)["source"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Ran(0, b"eth0: 1\n", b""), "eth0: 1\n"),
        (Ran(1, b"eth0: 1\n", b"cat: /proc/net/if_inet6: No such file or directory\n"), "eth0: 1\n"),
        (Ran(126, b"", b"unable to find user dtn: no matching entries\n"), "cannot be read: unable to find user dtn: no matching entries"),
        (Ran(127, b"", b""), "cannot be read: cat ended with 127"),
        (EngineError("dtn1: the container is paused"), "cannot be read: dtn1: the container is paused"),
        (UnreachableError("dtn1 does not answer"), "cannot be read: dtn1 does not answer"),
    ],
)
def test_counters_of_an_end_or_why_they_are_not_known(answer: Ran | Exception, text: str) -> None:
    assert counters_with(answer) == text


def test_a_transfer_that_no_path_joins_reads_none() -> None:
    task: Any = SimpleNamespace(source=SimpleNamespace(path_name=""), ends=())
    assert read_counters(task) == {}
