"""Measures what goes over a path from one service to another, one direction after the other. Nothing of it is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.path_checks import PathFinding, PathProbe
from dtnctl.planning.paths.rating import Ended, is_refused, measured_findings, read_measured, sending_command, serving_command
from dtnctl.providers.base import Engine, Ran
from dtnctl.runtime.clock import Clock

TRIES, PAUSE = 20, 0.5  # seconds until the far side listens


def rate_all(engines: Mapping[str, Engine], probes: Sequence[PathProbe], clock: Clock) -> tuple[PathFinding, ...]:
    """Each direction by itself: two at once would share what there is."""
    return tuple(finding for probe in probes for finding in _findings(engines, probe, clock))


def _findings(engines: Mapping[str, Engine], probe: PathProbe, clock: Clock) -> Iterator[PathFinding]:
    far = engines[probe.far_endpoint]
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="rate") as pool:
            serving = pool.submit(far.run, probe.far_container, serving_command(probe))
            sent = _sent(engines[probe.endpoint], probe, serving, clock)
            served = _ended(serving.result())  # it ends by itself
        yield from measured_findings(probe, read_measured(probe, sent, served))
    except (EngineError, UnreachableError) as error:
        yield PathFinding("rate", probe.where, "unknown", f"{probe.container} or {probe.far_container} cannot be asked: {error}")


def _sent(engine: Engine, probe: PathProbe, serving: Future[Ran], clock: Clock) -> Ended:
    """The test, once the far side listens, or has ended without."""
    sent = _ended(engine.run(probe.container, sending_command(probe)))
    for _ in range(TRIES):
        if not is_refused(sent.output) or serving.done():
            break
        clock.sleep(PAUSE)
        sent = _ended(engine.run(probe.container, sending_command(probe)))
    return sent


def _ended(ran: Ran) -> Ended:
    return Ended(ran.exit_code, (ran.stdout + b"\n" + ran.stderr).decode("utf-8", "replace"))
