"""The transfer log of a GridFTP server: what was sent and received, how long it took, and TCP's retransmits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dtnctl.movers.gridftp_server_log import ServedFile, read_server_log, total_retransmits


def line(kind: str = "RETR", file: str = "/data/run14", code: int = 226, tail: str = " retrans=0,3", volume: str = " VOLUME=/") -> str:
    """As globus_i_gfs_log_transfer prints it."""
    return (
        "DATE=20260601000010.500000 HOST=dtn1.example.net PROG=globus-gridftp-server NL.EVNT=FTP_INFO START=20260601000000.250000 USER=dtn "
        f"FILE={file} BUFFER=0 BLOCK=262144 NBYTES=2147483648{volume} STREAMS=4 STRIPES=1 DEST=[192.168.2.65] TYPE={kind} CODE={code} "
        f"TASKID=none{tail}"
    )


BEGAN = datetime(2026, 6, 1, 0, 0, 0, 250000, tzinfo=UTC)
SENT = ServedFile("sent", "/data/run14", 2147483648, BEGAN, BEGAN + timedelta(seconds=10.25), 4, True, 3)


def test_a_line_says_what_was_sent_how_long_it_took_and_its_retransmits() -> None:
    assert read_server_log(line() + "\n") == (SENT,)


@pytest.mark.parametrize(("kind", "did"), [("STOR", "received"), ("ESTO", "received"), ("RETR", "sent"), ("ERET", "sent")])
def test_each_end_says_its_part(kind: str, did: str) -> None:
    assert [item.did for item in read_server_log(line(kind))] == [did]


@pytest.mark.parametrize("name", ["/data/a b", "/data/x NBYTES=1 y", "/data/é"])
def test_names_are_read_as_they_are(name: str) -> None:
    assert [item.file for item in read_server_log(line(file=name))] == [name]


def test_one_that_did_not_end_well_says_so() -> None:
    assert [item.is_complete for item in read_server_log(line(code=426))] == [False]


@pytest.mark.parametrize("text", [line("LIST"), "", "Server started in inetd mode.", line()[:200]])
def test_other_lines_are_passed_over(text: str) -> None:
    assert read_server_log(f"{text}\n{line()}") == (SENT,)


def test_older_servers_say_no_volume_and_no_retransmits() -> None:
    (served,) = read_server_log(line(tail="", volume=""))
    assert (served.bytes, served.retransmits) == (2147483648, None)


def test_retransmits_are_those_of_the_senders() -> None:
    assert total_retransmits(read_server_log("\n".join([line(), line(tail=" retrans=7"), line("STOR", tail=" retrans=90")]))) == 10
    assert total_retransmits(read_server_log(line("STOR"))) is None
    assert total_retransmits(read_server_log(line(tail=""))) is None


@pytest.mark.parametrize(
    "text",
    [
        line().replace("20260601000000", "20261399000000"),
        line(tail=f" retrans={'9' * 5000}"),
        line(file=f"/data/{'x BUFFER=1 BLOCK=1 NBYTES=1 VOLUME=' * 4000}"),
    ],
    ids=["no month", "no number", "no name"],
)
def test_a_line_that_no_server_writes_is_passed_over(text: str) -> None:
    assert read_server_log(f"{text}\n{line()}\r\n") == (SENT,)


def test_only_a_line_feed_ends_a_line() -> None:
    assert [item.file for item in read_server_log(line(file="/data/a\u2028b"))] == ["/data/a\u2028b"]
