"""Every tool of the table has its module, and its row says what the mover needs."""

from __future__ import annotations

import pytest

from dtnctl.model.actions import JobEnd
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Mover, mover_of

HERE = JobEnd("a", "lab.s", "/data/in", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "/data/out", "10.0.0.2", 30001, "dtn", data_host="10.0.0.2", data_ports=(50100, 50199), listens=(50199, 50200))


@pytest.fixture(params=sorted(TOOLS))
def tool(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def options(tool: str) -> TransferOptions:
    return TransferOptions(own=TOOLS[tool].read_own(None))


def test_it_has_a_mover_and_a_server_if_its_row_says_so(tool: str) -> None:
    mover, asked = mover_of(tool), JobRequest(HERE, THERE, options(tool), folder="/dtnctl")
    assert isinstance(mover, Mover)
    assert all(isinstance(word, str) for word in mover.client(asked))
    if TOOLS[tool].has_server:
        assert "50199" in " ".join(mover.server(asked))
    else:
        assert mover.server(asked) == ()


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (Evidence(143, "", stopped="stalled"), "stalled: no progress for 600 s"),
        (Evidence(143, "", stopped="deadline"), "not finished within its deadline of 0 s"),
        (Evidence(137, "", out_of_memory=True), "the job ran out of memory and was killed"),
        (Evidence(137, ""), "somebody or something stopped the job (exit code 137)"),
        (Evidence(127, ""), "its program cannot be run in the image (exit code 127)"),
    ],
)
def test_what_ended_it_from_outside_is_said_for_all_alike(tool: str, evidence: Evidence, cause: str) -> None:
    judged = mover_of(tool).judge(evidence, options(tool))
    assert (judged.verdict, judged.cause) == ("failed", cause)


def test_a_transfer_without_options_of_its_own_has_their_defaults(tool: str) -> None:
    mover, without = mover_of(tool), TransferOptions()
    commands = [mover.client(JobRequest(HERE, THERE, settings, folder="/dtnctl")) for settings in (without, options(tool))]
    assert commands[0] == commands[1]
    assert mover.judge(Evidence(0, ""), without) == mover.judge(Evidence(0, ""), options(tool))


def test_silence_is_no_success(tool: str) -> None:
    judged = mover_of(tool).judge(Evidence(0, ""), options(tool))
    assert judged.verdict == "failed"


def test_its_reader_says_nothing_of_words_that_it_does_not_know(tool: str) -> None:
    reader = mover_of(tool).reader(JobRequest(HERE, THERE, options(tool)), {})
    assert reader.feed(b"\xff\xfe something else\n\r\n") is None


def test_servers_that_serve_on_are_not_waited_for() -> None:
    assert {name for name, row in TOOLS.items() if row.has_server and not mover_of(name).server_ends} == {"xrootd"}
    assert not mover_of("rclone").server_ends
