"""Carries out `dtnctl bench network`: plans, makes, measures and removes one row after the other, round by round.

Each test has its row made for itself and removed after it, by the planner and the executor of `apply`: so what the owner does not
allow is not made, addresses and ports are free ones, and what is left after a kill is an undeclared session that the next plan removes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from dtnctl.benchmarks.figures import NetworkFigures, RowFigures
from dtnctl.benchmarks.iperf3 import FailedTestError, Load, Sample, client_script, listening_script, read_sample, server_script, why_silent
from dtnctl.benchmarks.machines import Machine, describe_script, read_machine, share_a_machine
from dtnctl.benchmarks.rows import (
    NATIVE,
    Basis,
    Choices,
    Ends,
    LeftOut,
    Row,
    host_address,
    network_site,
    reached_at_host,
)
from dtnctl.benchmarks.table import bit_rate_text
from dtnctl.errors import DtnctlError, EngineError, PartialApplyError
from dtnctl.measuring.hosts import Shell, container_shell, host_shell
from dtnctl.measuring.stage import Stage, Standing
from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.site import Site


@dataclass(frozen=True, slots=True)
class NetworkBench:
    """One run as asked for. `address`: where the receiver's host is reached; empty: as its file says."""

    ends: Ends
    basis: Basis
    choices: Choices
    load: Load
    rounds: int
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()
    address: str = ""


@dataclass(slots=True)
class _Found:
    """What came of a row so far."""

    address: str = ""
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    why_left: str = ""


def measure_network(bench: NetworkBench, stage: Stage, stop: threading.Event) -> NetworkFigures:
    """All rounds of all rows, interleaved; whoever holds the leases calls it. Stops between two tests when `stop` is set.

    A test that fails is one of its row's failures. UnreachableError ends the run, PartialApplyError too where a row cannot be removed.
    """
    return _Run(bench, stage, stop).run()


class _Run:
    def __init__(self, bench: NetworkBench, stage: Stage, stop: threading.Event) -> None:
        self.bench = bench
        self.stage = stage
        self.stop = stop
        self.found = {row: _Found() for row in bench.rows}
        self.machines: dict[str, Machine] = {}

    def run(self) -> NetworkFigures:
        self.stage.clear()
        for round_number in range(1, self.bench.rounds + 1):
            for row in self._order(round_number):
                if self.stop.is_set():
                    return self._figures(is_whole=False)
                self._test(row, round_number)
                self._clear()
        return self._figures(is_whole=True)

    def _order(self, round_number: int) -> Iterator[Row]:
        """Each round begins with another row, so that none always has the same one before it."""
        rows = [row for row in self.bench.rows if not self.found[row].why_left]
        first = (round_number - 1) % len(rows) if rows else 0
        yield from (*rows[first:], *rows[:first])

    def _test(self, row: Row, round_number: int) -> None:
        """One test of one row; what comes of it is noted."""
        found = self.found[row]
        said = f"round {round_number} of {self.bench.rounds}: {row.label}"
        try:
            sample = self._sample(row, found)
        except (FailedTestError, PartialApplyError, EngineError) as error:
            why = "; ".join(error.lines) if isinstance(error, DtnctlError) else str(error)
            found.failures.append(why)
            self.stage.say(f"{said}: failed: {why}")
            return
        if sample is None:
            self.stage.say(f"{row.label} is left out: {found.why_left}")
            return
        found.samples.append(sample)
        self.stage.say(f"{said}: {bit_rate_text(sample.bits)}")

    def _clear(self) -> None:
        """Remove the row. What cannot be removed now is tried again before the next test, and at the end."""
        try:
            self.stage.clear()
        except (PartialApplyError, EngineError) as error:
            self.stage.say(f"not everything is removed yet, it is tried again: {'; '.join(error.lines)}")

    def _sample(self, row: Row, found: _Found) -> Sample | None:
        """The test's figures; None if the row cannot be, which `found` then says."""
        site = self._site(row)
        self.stage.clear()  # what could not be removed after the test before
        if row.mode == NATIVE:
            return self._native(site, found)
        standing = self.stage.raise_(site)
        if standing.refusals:
            found.why_left = "; ".join(standing.refusals)
            return None
        self._describe(standing)
        found.address, port = self._place(row, standing)
        shells = [container_shell(self.stage.engines[name], standing.container) for name in self.bench.ends.names]
        return self._transfer(shells[0], shells[1], found.address, port, self._load())

    def _site(self, row: Row) -> Site:
        """The site with the session of the row; native uses the host's network as `host` does."""
        shape = Row(HOST_NETWORK, HOST_NETWORK) if row.mode == NATIVE else row
        return network_site(self.stage.site, self.bench.ends, shape, self.bench.basis, self.bench.choices)

    def _native(self, site: Site, found: _Found) -> Sample | None:
        """Programs of the hosts themselves, on a port that a container on the host's network would get now."""
        standing = self.stage.preview(site)
        if standing.refusals:
            found.why_left = "; ".join(standing.refusals)
            return None
        found.address, port = self._place(Row(NATIVE), standing)
        endpoints = self.stage.site.endpoints
        with (
            host_shell(endpoints[self.bench.ends.sender].value.address) as sender,
            host_shell(endpoints[self.bench.ends.receiver].value.address) as receiver,
        ):
            return self._transfer(sender, receiver, found.address, port, self.bench.load)

    def _load(self) -> Load:
        """In a container: its CPUs are the engine's limit, not `taskset`'s."""
        return Load(self.bench.load.seconds, self.bench.load.streams)

    def _place(self, row: Row, standing: Standing) -> tuple[str, int]:
        """Address and port of the receiver."""
        spec = standing.specs[self.bench.ends.receiver]
        port = int(dict(spec.env)["SERV_PORT"])
        if reached_at_host(self.stage.site, row):
            return host_address(self.stage.site.endpoints[self.bench.ends.receiver].value, self.bench.address), port
        attachment = spec.attachments[0]
        return attachment.ipv4 or attachment.ipv6, port

    def _transfer(self, sender: Shell, receiver: Shell, address: str, port: int, load: Load) -> Sample:
        """The server first, then the client as soon as it listens."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bench server") as pool:
            serving = pool.submit(receiver.run, server_script(load, port))
            if receiver.run(listening_script(port)).exit_code != 0:
                said = serving.result()
                raise FailedTestError(
                    why_silent(port, said.exit_code, said.stdout.decode(errors="replace"), said.stderr.decode(errors="replace"))
                )
            client = sender.run(client_script(load, address, port))
            served = serving.result()
        texts = [item.decode(errors="replace") for item in (client.stdout, served.stdout, client.stderr)]
        return read_sample(texts[0], texts[1], client.exit_code, texts[2])

    def _describe(self, standing: Standing) -> None:
        for name in self.bench.ends.names:
            if name not in self.machines:
                printed = container_shell(self.stage.engines[name], standing.container).run(describe_script("iperf3")).stdout.decode()
                self.machines[name] = read_machine(name, standing.engines[name], printed, standing.nics.get(name, ()))

    def _figures(self, *, is_whole: bool) -> NetworkFigures:
        refused = tuple(LeftOut(row, found.why_left) for row, found in self.found.items() if found.why_left)
        rows = [(row, found) for row, found in self.found.items() if not found.why_left]
        machines = tuple(self.machines[name] for name in self.bench.ends.names if name in self.machines)
        shared = "both endpoints are one machine: its CPU counters are those of both sides together"
        return NetworkFigures(
            self.bench.ends,
            self.bench.basis.image,
            self.bench.load,
            self.bench.rounds,
            tuple(RowFigures(row, found.address, tuple(found.samples), tuple(found.failures)) for row, found in rows),
            (*self.bench.left_out, *refused),
            machines,
            is_whole,
            (shared,) if share_a_machine(machines) else (),
        )
