"""Notes in a job's container are read by any later dtnctl."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.actions import FinishTransfer, JobEnd
from dtnctl.model.declared_tools import DeclaredTool, ProgressPattern
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Listing
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers.attempt import task_of
from dtnctl.runtime.transfers.notes import Notes, as_started, read_options

OLDER = TransferOptions(2, 3, True, "follow", "size", "sha256", 1024, 2048, 4, 1.5, 60.0, 30.0)
NEWER = replace(OLDER, expected="md5:00", sync_level="size", include=("a", "b"), exclude=("c",), preserve_times=True, on_file_error="skip")
NEWER = replace(NEWER, restarts=3, pipelining=True, max_rate=1000)


@pytest.mark.parametrize("options", [TransferOptions(), OLDER, NEWER])
def test_options_are_read_as_they_were_written(options: TransferOptions) -> None:
    assert read_options(json.loads(json.dumps(asdict(options))), "gridftp") == options


def test_options_that_an_older_dtnctl_wrote_as_texts_are_read() -> None:
    texts = {name: str(value) for name, value in list(asdict(OLDER).items())[:12]}
    assert read_options(texts, "gridftp") == OLDER
    assert read_options({}, "gridftp") == TransferOptions()


@pytest.mark.parametrize("values", [{"verify": "perhaps"}, {"retries": "many"}, {"recursive": None}])
def test_options_that_are_none_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_options(values, "gridftp")


def test_the_definition_of_a_tool_that_was_declared_is_read_as_it_was_written() -> None:
    tool = DeclaredTool("copier", "files", ("copy", "{source}"), options=(("recursive", ("-r",)),))
    options = TransferOptions(own=tool)
    assert read_options(json.loads(json.dumps(asdict(options))), "copier") == options


def test_a_job_is_judged_by_the_tool_that_it_was_started_by() -> None:
    then, now = (TransferOptions(retries=count, own=DeclaredTool("copier", "files", (word,))) for count, word in ((1, "then"), (2, "now")))
    ends = JobEnd("a", "lab.s", "/x", "127.0.0.1", 22, "dtn"), JobEnd("b", "lab.s", "/x", "10.0.0.2", 22, "dtn")
    engines: dict[str, Any] = {"a": None, "b": None}
    task = task_of(FinishTransfer("t", 1, 1, "copier", *ends, now, True), engines, "lab", SystemClock())
    notes = Notes("copier", *ends, then, {}, Listing("missing"), Listing("missing"))
    assert as_started(task, notes).options == replace(then, retries=2)
    assert as_started(task, None) is task
    with pytest.raises(TransferError, match="no mover is called 'fax'"):
        task_of(FinishTransfer("t", 1, 1, "fax", *ends, TransferOptions(), True), engines, "lab", SystemClock())


def test_a_tool_that_shows_no_progress_is_not_ended_for_that() -> None:
    ends = JobEnd("a", "lab.s", "/x", "127.0.0.1", 22, "dtn"), JobEnd("b", "lab.s", "/x", "10.0.0.2", 22, "dtn")
    engines: dict[str, Any] = {"a": None, "b": None}
    for progress, seconds in ((None, math.inf), (ProgressPattern("(?P<bytes>x)"), 5.0)):
        options = TransferOptions(stall_timeout=5.0, own=DeclaredTool("copier", "files", ("copy",), progress=progress))
        assert task_of(FinishTransfer("t", 1, 1, "copier", *ends, options, True), engines, "lab", SystemClock()).stall_timeout == seconds
