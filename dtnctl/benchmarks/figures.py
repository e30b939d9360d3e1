"""What `dtnctl bench network` found, as values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dtnctl.benchmarks.iperf3 import Load, Sample
from dtnctl.benchmarks.machines import Machine
from dtnctl.benchmarks.rows import NATIVE, Ends, LeftOut, Row
from dtnctl.benchmarks.spread import Spread, ratio, spread_of
from dtnctl.model.drivers import HOST_NETWORK


@dataclass(frozen=True, slots=True)
class RowFigures:
    """What the rounds of one row gave. `address` is where the receiver was reached; `failures` say why rounds gave nothing."""

    row: Row
    address: str = ""
    samples: tuple[Sample, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def bits(self) -> Spread | None:
        """Bits a second."""
        return spread_of([sample.bits for sample in self.samples])

    @property
    def rate(self) -> Spread | None:
        """Bytes a second."""
        return spread_of([sample.bits / 8 for sample in self.samples])

    @property
    def gigabits(self) -> Spread | None:
        """The same in Gb/s."""
        return spread_of([sample.bits / 1e9 for sample in self.samples])

    @property
    def retransmits(self) -> Spread | None:
        return spread_of([sample.retransmits for sample in self.samples])

    def cpu(self, of: Callable[[Sample], float | None]) -> Spread | None:
        """CPU seconds per gigabyte, of those rounds that have them."""
        return spread_of([value for sample in self.samples if (value := of(sample)) is not None])


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """All rows of one run, in their order. `is_whole`: no signal ended it before the last round."""

    ends: Ends
    image: str
    load: Load
    rounds: int
    rows: tuple[RowFigures, ...]
    left_out: tuple[LeftOut, ...] = ()
    machines: tuple[Machine, ...] = ()
    is_whole: bool = True
    notes: tuple[str, ...] = field(default=())

    @property
    def base(self) -> RowFigures | None:
        """What the others are compared with: native, else host; None if neither was measured."""
        measured = {figures.row.mode: figures for figures in self.rows if figures.samples}
        return measured.get(NATIVE) or measured.get(HOST_NETWORK)

    def share(self, figures: RowFigures) -> float | None:
        """The row's rate as a share of the base's."""
        return ratio(figures.bits, self.base.bits) if self.base is not None else None
