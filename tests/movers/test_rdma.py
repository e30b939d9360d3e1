"""rcopy: what both sides are asked to do, and what their output means. The output is from real runs over rxe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Judgement, Listing, Moved
from dtnctl.movers.rdma import MOVER
from tests.movers.jobs import SAMPLES, THERE, failed, file, request

SIZE = 4 * 1024**2
OPTIONS = TransferOptions()
SUMS = {"": "5d41"}


def judged(sample: str, code: int, *, server: str = "", server_code: int | None = 1, options: TransferOptions = OPTIONS) -> Judgement:
    """The verdict on a copy of one file, which is at the destination as it is at the source if both sides ended well."""
    texts = [(SAMPLES / name).read_text() if name else "" for name in (sample, server)]
    there = file(SIZE) if code == 0 else Listing("missing")
    sums = (SUMS, SUMS) if code == 0 else None
    evidence = Evidence(code, texts[0], server_log=texts[1], server_exit_code=server_code, before=file(SIZE), source=file(SIZE))
    return MOVER.judge(replace(evidence, destination=there, sums=sums, algorithm="md5"), options)


def test_the_server_writes_under_a_name_of_the_attempts_own_in_the_destinations_folder() -> None:
    copy = request("/data/in", "/data/new/it is")
    assert MOVER.client(copy)[3:] == ("copy", "/data/in", "10.1.0.2:.dtnctl-rcopy-50199", "50199")
    assert MOVER.server(copy)[3:] == ("server", "/data/new", "it is", ".dtnctl-rcopy-50199", "50199")
    assert MOVER.leftovers(copy) == ("/data/new/.dtnctl-rcopy-50199",)


def test_it_takes_the_control_address_where_there_is_no_other() -> None:
    assert MOVER.client(request(there=replace(THERE, data_host="")))[5] == "10.0.0.2:.dtnctl-rcopy-50199"


def test_what_rcopy_cannot_copy_is_refused() -> None:
    """It maps files, and an empty one cannot be mapped; its address ends at the first colon."""
    assert MOVER.refusal(request(), file(1)) == ""
    assert MOVER.refusal(request(), file(0)) == "/data/in on a is empty, and rcopy copies no empty file; use another `tool:`"
    six = request(there=replace(THERE, data_host="fd00::2"))
    assert MOVER.refusal(six, file(1)) == "rcopy takes no IPv6 address, and b receives at fd00::2; use another `tool:`"


def test_a_copy_whose_server_gave_it_its_name_is_judged_by_its_checksum() -> None:
    found = judged("rcopy-ok.client", 0, server="rcopy-ok.server", server_code=0)
    assert (found.verdict, found.bytes, found.verified) == ("succeeded", SIZE, "md5 of 1 file equal at both ends")
    assert found.rate


def test_exit_code_0_without_a_result_or_without_its_name_is_no_success() -> None:
    """A client whose connection broke ends with the number of bytes that it sent, of which an exit code is the last eight bits."""
    assert judged("", 0, server_code=0).cause.startswith("rcopy failed and does not say why (exit code 0)")
    assert judged("rcopy-ok.client", 0, server="rcopy-ok.server", server_code=1).verdict == "failed"


def test_without_the_servers_container_a_checksum_decides_and_nothing_less() -> None:
    assert judged("rcopy-ok.client", 0, server_code=None).verdict == "succeeded"
    assert judged("rcopy-ok.client", 0, server_code=None, options=TransferOptions(verify="size")).verdict == "failed"


def test_a_file_that_differs_has_no_rate() -> None:
    evidence = Evidence(0, (SAMPLES / "rcopy-ok.client").read_text(), server_exit_code=0, before=file(SIZE), source=file(SIZE))
    found = MOVER.judge(replace(evidence, destination=Listing("file", {"": Entry(1, "1")})), OPTIONS)
    assert (found.verdict, found.rate) == ("failed", None)


@pytest.mark.parametrize(
    ("words", "code", "cause", "retryable"),
    [
        ("dd: error writing '.dtnctl-rcopy-50199': No space left on device", 135, "the disk at the destination is full", False),
        ("dd: error writing '.dtnctl-rcopy-50199': Disk quota exceeded", 135, "the quota at the destination is used up", False),
        ("opening: x, transferring...8 bytes......error receiving data", 1, "the connection ended before the file was whole", True),
        ("opening: x, unable to open destination file", 1, "the file cannot be made at the destination", False),
        ("mv: cannot overwrite directory 'out'", 1, "the file is whole, but has not got its name: cannot overwrite directory 'out'", False),
        ("waiting for connection...", 137, "the connection ended: the server was killed", True),
    ],
)
def test_the_server_knows_why_first(words: str, code: int, cause: str, retryable: bool) -> None:
    evidence = Evidence(1, "opening...transferring...", server_log=words, server_exit_code=code)
    found = MOVER.judge(evidence, OPTIONS)
    assert (found.verdict, found.cause, found.retryable) == ("failed", f"{cause} (exit code 1)", retryable)


@pytest.mark.parametrize(
    ("log", "cause", "retryable"),
    [
        ("rcopy-refused.client", "nothing listens on the port of the rcopy server", True),
        ("rconnect failed\n: Connection timed out\n", "the rcopy server is not reached by RDMA: Connection timed out", True),
        (
            "rconnect failed\n: Cannot allocate memory\n",
            "its buffers cannot be locked in memory: write `limits: {memlock: -1}` in the session's profile",
            False,
        ),
        ("rcopy has lost its server\n", "the connection ended: the server was killed", True),
        (
            "getaddrinfo failed: Name or service not known\n",
            "the address of the destination cannot be looked up: Name or service not known",
            False,
        ),
    ],
)
def test_a_client_that_failed_says_why(log: str, cause: str, retryable: bool) -> None:
    found = failed(MOVER, log, 255)
    assert (found.cause, found.retryable) == (f"{cause} (exit code 255); nothing is at the destination", retryable)


def test_what_is_mapped_is_a_lower_bound_that_never_shrinks_and_a_cpu_shows_movement() -> None:
    reader = MOVER.reader(request(), {"": SIZE})
    assert reader.feed(b"opening...transferring...rcopy has mapped 128 kB in 3 ticks\n") == Moved(0, None, is_moving=True)
    assert reader.feed(b"rcopy has mapped 9088 kB in 5 ticks\n") == Moved(9_043_968, None, is_moving=True)
    assert reader.feed(b"rcopy has mapped 4000 kB in 6 ticks\n") == Moved(9_043_968, None, is_moving=True)
    assert reader.feed(b"rcopy has mapped 4000 kB in 6 ticks\n") == Moved(9_043_968, None, is_moving=False)
    assert reader.feed((SAMPLES / "rcopy-ok.client").read_bytes()) == Moved(SIZE, 0.02e9 / 8, is_moving=True)
