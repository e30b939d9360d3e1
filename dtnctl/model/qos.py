"""What `qos:` of a profile can say, and its normal form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from dtnctl.model.address_fields import Destination
from dtnctl.model.fields import Duration, Pace, Percent, Port, Rate
from dtnctl.model.written import Written

IMPAIRMENTS = ("delay", "jitter", "loss", "corrupt", "reorder")
Delay = Annotated[Duration, Field(le=60)]


class Qos(Written):
    """What happens to packets that a service sends over its first data network, or over its management network where it has none."""

    rate: Rate | None = Field(None, description="Most that it may send, `500mbit`: everything together.")
    pacing: Pace | None = Field(None, description="Most that each of its flows may send, `1gbit`.")
    delay: Delay | None = Field(None, description="How long packets are held back: `10ms`.")
    jitter: Delay | None = Field(None, description="How much the delay varies, up and down.")
    loss: Percent | None = Field(None, description="Share of packets that are lost: `1%`.")
    corrupt: Percent | None = Field(None, description="Share of packets with a wrong bit.")
    reorder: Percent | None = Field(None, description="Share of packets that are not delayed and so overtake others.")
    ports: Annotated[tuple[Port, ...], Field(strict=False, max_length=32)] = Field(
        (), description="Only packets to these TCP or UDP ports are delayed, lost, corrupted, reordered. Missing: all packets."
    )
    destinations: Annotated[tuple[Destination, ...], Field(strict=False, max_length=16)] = Field(
        (), description="Only packets to these addresses and networks are paced, delayed, lost, corrupted, reordered. Missing: all packets."
    )

    @model_validator(mode="after")
    def _fields_go_together(self) -> Qos:
        impairs = any(getattr(self, name) for name in IMPAIRMENTS)
        if not (self.rate or self.pacing or impairs):
            raise ValueError("says nothing; write a rate, pacing, a delay or a loss")
        if (self.jitter or self.reorder) and not self.delay:
            raise ValueError("jitter and reordering need a `delay`")
        if self.ports and not impairs:
            raise ValueError("`ports` are for delay, loss, corruption and reordering, and none of them is written")
        if self.destinations and not (impairs or self.pacing):
            raise ValueError("`destinations` are for pacing, delay, loss, corruption and reordering, and none of them is written")
        return self


def qos_values(qos: Qos) -> Mapping[str, int | float | tuple[int, ...] | tuple[str, ...] | None]:
    """The same in the agent's units and normal form: kbit/s, milliseconds, percent; ports and addresses in order; zero is nothing."""
    return {
        "rate": qos.rate,
        "pacing": qos.pacing,
        "delay": _milliseconds(qos.delay),
        "jitter": _milliseconds(qos.jitter),
        "loss": qos.loss or None,
        "corrupt": qos.corrupt or None,
        "reorder": qos.reorder or None,
        "ports": tuple(sorted(set(qos.ports))),
        "destinations": tuple(sorted(set(qos.destinations))),
    }


def _milliseconds(seconds: float | None) -> float | None:
    """The kernel's clock for this counts microseconds."""
    return None if seconds is None else round(seconds * 1000, 3) or None
