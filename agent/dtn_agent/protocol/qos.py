"""Queueing of containers: how what they send is shaped, and what the ledger has of that."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import HeldEntry, Name, Owner, Reported, Requested


class SetQos(Requested):
    """Shape what a container sends from the interface with this address; kept over restarts of the container and the agent.

    What this site had asked for on another network of the container is undone.
    """

    do: Literal["set-qos"] = "set-qos"
    site: Name
    session: Name
    network: Name
    container: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]
    address: Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}$")]
    rate: Annotated[int, Field(ge=1)] | None = None
    pacing: Annotated[int, Field(ge=1)] | None = None
    delay: Annotated[float, Field(ge=0, le=60_000)] | None = None
    jitter: Annotated[float, Field(ge=0, le=60_000)] | None = None
    loss: Annotated[float, Field(ge=0, le=100)] | None = None
    corrupt: Annotated[float, Field(ge=0, le=100)] | None = None
    reorder: Annotated[float, Field(ge=0, le=100)] | None = None
    ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Field(strict=False, max_length=32)] = ()
    destinations: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}(/[0-9]{1,3})?$")], ...], Field(strict=False, max_length=16)
    ] = ()


class ClearQos(Requested):
    """Restore the interface's queueing, and forget ours. A container that is gone is success."""

    do: Literal["clear-qos"] = "clear-qos"
    site: Name
    container: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]


class QosSettings(Reported):
    """What happens to packets that a service sends. Rates in kbit/s, times in ms, shares in percent.

    `rate` shapes everything that it sends (tbf, or netem's own); `pacing` paces each of its flows (fq maxrate). `ports` limits delay, loss,
    corruption and reordering to packets to these TCP or UDP ports, `destinations` limits that and the pacing to packets to these addresses
    and networks; empty: all packets.
    """

    rate: int | None = None
    pacing: int | None = None
    delay: float | None = None
    jitter: float | None = None
    loss: float | None = None
    corrupt: float | None = None
    reorder: float | None = None
    ports: tuple[int, ...] = ()
    destinations: tuple[str, ...] = ()


class HeldQos(HeldEntry):
    """QoS of one container's interface. `now` is None while the container does not run, or when its queueing is not as asked for.

    `found` is the queueing before ours, in the words of a tuned qdisc; None: the kernel's own, which comes back by itself.
    """

    container: str
    owner: Owner
    address: str
    wanted: QosSettings
    now: QosSettings | None
    found: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.container, self.owner.network)  # the address may be another one some day

    @property
    def rank(self) -> tuple[str | int, ...]:
        return self.identity


QosRequest: TypeAlias = SetQos | ClearQos
