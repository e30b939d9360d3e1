"""Sends packets over a path from inside its services, and says what came of it. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.path_checks import PathFinding, PathProbe
from dtnctl.planning.paths.probing import (
    ANSWERS,
    NEIGHBOURS,
    SMALL,
    TRIES,
    Pinged,
    answer_finding,
    middle_of,
    packets_finding,
    ping_command,
    read_ping,
    sizes_to_search,
)
from dtnctl.providers.base import Engine

AT_ONCE = 4


def probe_all(engines: Mapping[str, Engine], probes: Sequence[PathProbe]) -> tuple[PathFinding, ...]:
    """Every direction, several at a time, in the order of `probes`."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe") as pool:
        found = pool.map(lambda probe: tuple(_findings(engines[probe.endpoint], probe)), probes)
        return tuple(finding for findings in found for finding in findings)


def _findings(engine: Engine, probe: PathProbe) -> Iterator[PathFinding]:
    """Large packets are only sent where small ones come back."""
    try:
        answered = _ping(engine, probe, SMALL, ANSWERS)
        neighbours = "" if answered.received else _text(engine, probe, NEIGHBOURS)[1]
        yield answer_finding(probe, answered, neighbours)
        if answered.received:
            whole = _ping(engine, probe, probe.size, TRIES)
            yield packets_finding(probe, whole, 0 if whole.received or whole.trouble else _largest(engine, probe))
    except (EngineError, UnreachableError) as error:
        yield PathFinding("answer", probe.where, "unknown", f"{probe.container} cannot be asked: {error}")


def _largest(engine: Engine, probe: PathProbe) -> int:
    """The largest packet that passes, where the one that should does not; 0 if not even the smallest one tried does."""
    low, high = sizes_to_search(probe)
    if low == high or not _ping(engine, probe, low, TRIES).received:
        return 0
    while (size := middle_of(low, high)) is not None:
        if _ping(engine, probe, size, TRIES).received:
            low = size
        else:
            high = size
    return low


def _ping(engine: Engine, probe: PathProbe, size: int, count: int) -> Pinged:
    return read_ping(*_text(engine, probe, ping_command(probe, size, count)))


def _text(engine: Engine, probe: PathProbe, command: tuple[str, ...]) -> tuple[int, str]:
    ran = engine.run(probe.container, command)
    return ran.exit_code, (ran.stdout + b"\n" + ran.stderr).decode("utf-8", "replace")
