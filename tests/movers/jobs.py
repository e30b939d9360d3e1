"""A copy between two ends, and what a mover makes of real output in samples/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dtnctl.model.actions import JobEnd
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Entry, Evidence, JobRequest, Judgement, Listing, Login, Moved, Mover

SAMPLES = Path(__file__).parent / "samples"
HERE = JobEnd("a", "lab.s", "/data/in", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "/data/out", "10.0.0.2", 30001, "dtn", data_host="10.1.0.2", listens=(50199,))
ACCESS = Access({"destination": Login(THERE, b"PRIVATE", "ssh-ed25519 AAAA")}, secret="s3cret")


def request(source: str = "/data/in", destination: str = "/data/out", there: JobEnd = THERE, **options: object) -> JobRequest:
    """`options` as TransferOptions has them."""
    settings = replace(TransferOptions(), **options)  # type: ignore[arg-type]  # tests write what the options take
    return JobRequest(replace(HERE, path=source), replace(there, path=destination), settings, folder="/dtnctl")


def file(size: int) -> Listing:
    return Listing("file", {"": Entry(size, "1")})


def failed(mover: Mover, log: str, exit_code: int = 1, size: int = 33554432) -> Judgement:
    """The verdict on a copy of one file that failed; nothing is at the destination. `log` is the name of a sample, or text."""
    path = SAMPLES / log
    text = path.read_text("utf-8", "replace") if "\n" not in log and path.is_file() else log
    return mover.judge(Evidence(exit_code, text, before=file(size), destination=Listing("missing")), TransferOptions())


def progress(mover: Mover, sample: str, piece: int, **sizes: int) -> list[Moved]:
    """What a reader says as a sample arrives in pieces of that size."""
    content = (SAMPLES / sample).read_bytes()
    reader = mover.reader(request(recursive=bool(sizes)), sizes)
    found = (reader.feed(content[at : at + piece]) for at in range(0, len(content), piece))
    return [moved for moved in found if moved is not None]
