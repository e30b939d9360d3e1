"""How a transfer went over time: a few hundred points of (time, bytes, rate), and the file beside its log that keeps them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dtnctl.model.ledger import LOGS, AttemptKey

MOST = 300  # points of one transfer that are kept
MOMENT = 0.001  # seconds; what comes within it is one sample
FORMAT = 1
LONGEST_FILE = 256 * 1024  # far more than any that we write


@dataclass(frozen=True, slots=True)
class Sample:
    """`seconds` since the job's start, `bytes` moved by then (a lower bound), `rate` in bytes per second since the sample before."""

    seconds: float
    bytes: int
    rate: float


def samples_path(key: AttemptKey) -> str:
    """Where the ledger keeps them."""
    transfer, generation, attempt = key
    return f"{LOGS}/{transfer}.g{generation}a{attempt}.samples.json"


@dataclass(slots=True)
class Collector:
    """Takes any number of points in the order of their times, and never holds more than twice those that are kept."""

    _points: list[tuple[float, int]] = field(default_factory=list)

    def add(self, seconds: float, moved: int) -> None:
        """A point. One that goes back in time or in bytes says nothing: engines stamp lines of several streams out of order."""
        at = max(MOMENT, seconds)
        if self._points and (at < self._points[-1][0] or moved < self._points[-1][1]):
            return
        if self._points and at - self._points[-1][0] < MOMENT:
            at = self._points.pop()[0]
        self._points.append((at, moved))
        if len(self._points) > 2 * MOST:
            self._points = thinned(self._points)

    def samples(self) -> tuple[Sample, ...]:
        """At most `MOST`, with the rate between each and the one before."""
        points = [(0.0, 0), *thinned(self._points)]
        return tuple(
            Sample(round(seconds, 3), moved, round((moved - before) / (seconds - earlier), 1))
            for (earlier, before), (seconds, moved) in pairwise(points)
        )


def thinned(points: Sequence[tuple[float, int]], most: int = MOST) -> list[tuple[float, int]]:
    """The last point of each of `most` equal spans of time, so that sums stay exact where points go."""
    if len(points) <= most:
        return list(points)
    start, end = points[0][0], points[-1][0]
    span = (end - start) / most
    last: dict[int, tuple[float, int]] = {}
    for point in points:
        last[min(most - 1, int((point[0] - start) / span)) if span else 0] = point
    return list(last.values())


def encode_samples(samples: Iterable[Sample]) -> bytes:
    """The file's content: a format number and a list of [seconds, bytes, rate]."""
    rows = [[sample.seconds, sample.bytes, sample.rate] for sample in samples]
    return json.dumps({"version": FORMAT, "samples": rows}, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode_samples(content: bytes) -> tuple[Sample, ...]:
    """The samples of a file; ValueError says what is wrong with it."""
    if len(content) > LONGEST_FILE:
        raise ValueError(f"{len(content)} bytes are too many for samples")
    data = json.loads(content)
    if not isinstance(data, dict) or data.get("version") != FORMAT:
        raise ValueError("these are no samples of a format that this dtnctl knows")
    try:
        return tuple(Sample(float(seconds), int(moved), float(rate)) for seconds, moved, rate in data["samples"])
    except (KeyError, TypeError) as error:
        raise ValueError("these are no samples") from error
