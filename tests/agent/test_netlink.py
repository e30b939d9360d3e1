"""Lists over netlink: one that changed while the kernel wrote it is read again."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from dtn_agent.netlink import READS, whole

MULTI, INTERRUPTED = 2, 2 | 16  # NLM_F_MULTI, NLM_F_DUMP_INTR (linux/netlink.h)


def messages(*flags: int) -> list[dict[str, Any]]:
    return [{"header": {"flags": each}, "index": index} for index, each in enumerate(flags)]


def test_a_list_that_changed_while_it_was_written_is_read_again() -> None:
    answers: Iterator[list[dict[str, Any]]] = iter([messages(MULTI, INTERRUPTED), messages(INTERRUPTED), messages(MULTI, MULTI, MULTI)])
    assert [message["index"] for message in whole(lambda: next(answers))] == [0, 1, 2]
    assert next(answers, None) is None


def test_an_empty_list_is_whole() -> None:
    assert whole(list) == ()


def test_a_list_that_always_changes_is_an_error() -> None:
    reads = count()
    with pytest.raises(OSError, match=f"changed each of the {READS} times") as caught:
        whole(lambda: messages(INTERRUPTED) if next(reads) < READS else pytest.fail("read once more"))
    assert caught.value.errno == errno.EAGAIN
