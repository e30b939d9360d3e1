"""P8: all of a host's facts, as the agent finds them for each request, against reading the very same files and nothing else."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence

from dtn_agent.probe import HostRoot, probe, read_facts
from dtn_agent.probe.files import CHUNK, Files
from dtn_agent.probe.kernel import ask_kernel
from dtn_agent.protocol import Held

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds

Reading = tuple[Callable[[str], object], str]


def measure(options: Options) -> Iterator[Figure]:
    readings = _readings()
    probe()
    pairs = Pairs(*in_turn(options.rounds_or(41), lambda: _time_of(probe), lambda: _time_of(lambda: read(readings))))
    detail = f"{seconds('facts', 'files', pairs)}, {len(readings)} of them"
    yield figure_of("P8 agent facts of this machine / reading the same files", pairs, at_most(2.0), detail)


class NotedFiles(Files):
    """Notes which files, folders and links are read, and how each is read with nothing around it."""

    def __init__(self, root: HostRoot) -> None:
        super().__init__(root)
        self.readings: list[Reading] = []

    def content(self, path: str) -> bytes | None:
        self.readings.append((read_file, path))
        return super().content(path)

    def names(self, path: str) -> list[str]:
        self.readings.append((os.listdir, path))
        return super().names(path)

    def target(self, path: str) -> str:
        self.readings.append((os.readlink, path))
        return super().target(path)

    def exists(self, path: str) -> bool:
        self.readings.append((os.stat, path))
        return super().exists(path)


def _readings() -> Sequence[Reading]:
    files = NotedFiles(HostRoot())
    read_facts(files, ask_kernel, Held())
    return files.readings


def read(readings: Sequence[Reading]) -> None:
    """Read them all; what is refused is part of it."""
    for how, path in readings:
        with contextlib.suppress(OSError):
            how(path)


def read_file(path: str) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while os.read(file, CHUNK):
            pass
    finally:
        os.close(file)


def _time_of(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
