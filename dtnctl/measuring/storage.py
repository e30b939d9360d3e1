"""Carries out `dtnctl bench storage`: one container at each endpoint with the session's volumes, fio in it, round by round."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from dtnctl.benchmarks.fio import DiskSample, Shape, fio_script, prepare_script, read_disk_sample, remove_script, why_unprepared
from dtnctl.benchmarks.iperf3 import FailedTestError
from dtnctl.benchmarks.machines import describe_script, read_machine
from dtnctl.benchmarks.rows import Basis
from dtnctl.benchmarks.storage import DiskFigures, Place, PlaceLeftOut, StorageFigures, storage_site
from dtnctl.benchmarks.storage_table import byte_rate, size_text
from dtnctl.errors import BlockedError, EngineError
from dtnctl.measuring.hosts import Shell, container_shell
from dtnctl.measuring.stage import Stage, Standing


@dataclass(frozen=True, slots=True)
class StorageBench:
    """One run as asked for. `size` in bytes, of all files of a test together."""

    basis: Basis
    places: tuple[Place, ...]
    shapes: tuple[Shape, ...]
    size: int
    seconds: int
    rounds: int
    left_out: tuple[PlaceLeftOut, ...] = ()
    cpus: str = ""


@dataclass(slots=True)
class _Found:
    samples: list[DiskSample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def measure_storage(bench: StorageBench, stage: Stage, stop: threading.Event) -> StorageFigures:
    """All rounds of all volumes; whoever holds the leases calls it. Stops between two tests when `stop` is set.

    BlockedError if the owner does not allow the container. The files are removed, however it ends.
    """
    stage.clear()
    standing = stage.raise_(storage_site(stage.site, bench.basis, bench.places, bench.cpus))
    if standing.refusals:
        raise BlockedError(*standing.refusals)
    run = _Run(bench, stage, stop, standing)
    try:
        return run.run()
    finally:
        run.remove_files()


class _Run:
    def __init__(self, bench: StorageBench, stage: Stage, stop: threading.Event, standing: Standing) -> None:
        self.bench = bench
        self.stage = stage
        self.stop = stop
        self.standing = standing
        self.direct: dict[Place, bool] = {}
        self.left_out = list(bench.left_out)
        self.found: dict[tuple[Place, Shape], _Found] = {}

    def run(self) -> StorageFigures:
        self._prepare()
        for round_number in range(1, self.bench.rounds + 1):
            for place, shape in self._cases():
                if self.stop.is_set():
                    return self._figures(is_whole=False)
                self._test(place, shape, round_number)
        return self._figures(is_whole=True)

    def remove_files(self) -> None:
        """In containers that still run; in others the container's own end has done it."""
        for place in self.direct:
            try:
                self._shell(place).run(remove_script(place.folder(self.stage.site.name)))
            except EngineError as error:
                self.stage.say(f"note: {place.label}: the container is gone before its files were removed: {error}")

    def _prepare(self) -> None:
        """A folder of its own in each volume; what cannot have one is left out."""
        for place in self.bench.places:
            folder = place.folder(self.stage.site.name)
            ran = self._shell(place).run(prepare_script(folder, self.bench.size))
            if ran.exit_code == 0:
                self.direct[place] = ran.stdout.strip() == b"direct"
                continue
            why = why_unprepared(ran.exit_code, ran.stderr.decode(errors="replace"), folder)
            self.stage.say(f"{place.label} is left out: {why}")
            self.left_out.append(PlaceLeftOut(place, why))

    def _cases(self) -> Iterator[tuple[Place, Shape]]:
        yield from ((place, shape) for place in self.direct for shape in self.bench.shapes)

    def _shell(self, place: Place) -> Shell:
        return container_shell(self.stage.engines[place.endpoint], self.standing.container)

    def _test(self, place: Place, shape: Shape, round_number: int) -> None:
        found = self.found.setdefault((place, shape), _Found())
        what = f"{place.label} {shape.way} {size_text(shape.block)} x {shape.jobs}"
        said = f"round {round_number} of {self.bench.rounds}: {what}"
        ran = self._shell(place).run(fio_script(shape, place.folder(self.stage.site.name), is_direct=self.direct[place]))
        texts = [item.decode(errors="replace") for item in (ran.stdout, ran.stderr)]
        try:
            sample = read_disk_sample(shape.way, texts[0], ran.exit_code, texts[1])
        except FailedTestError as error:
            found.failures.append(str(error))
            self.stage.say(f"{said}: failed: {error}")
            return
        found.samples.append(sample)
        self.stage.say(f"{said}: {byte_rate(sample.rate)}")

    def _figures(self, *, is_whole: bool) -> StorageFigures:
        rows = tuple(
            DiskFigures(place, shape, self.direct[place], tuple(found.samples), tuple(found.failures))
            for (place, shape), found in self.found.items()
        )
        bench = self.bench
        endpoints = dict.fromkeys(place.endpoint for place in bench.places)
        machines = []
        for name in endpoints:
            printed = container_shell(self.stage.engines[name], self.standing.container).run(describe_script("fio")).stdout.decode()
            machines.append(read_machine(name, self.standing.engines[name], printed))
        return StorageFigures(
            bench.basis.session,
            bench.basis.image,
            bench.size,
            bench.seconds,
            bench.rounds,
            rows,
            tuple(self.left_out),
            tuple(machines),
            is_whole,
        )
