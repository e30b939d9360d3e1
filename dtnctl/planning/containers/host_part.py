"""What an endpoint's agent does for one service, around the steps of its container. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from dtnctl.model.actions import HostRequest
from dtnctl.planning.containers.compare import Difference
from dtnctl.planning.refusal import Refusal


@dataclass(frozen=True, slots=True)
class HostStep:
    """A request among the steps of a service. `key` and `subject` make the step's id; `waits` are steps of others that come before it.

    `note` is what a person reads of it where the session ends.
    """

    key: str
    subject: str
    action: HostRequest
    waits: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class HostPart:
    """What one kind of thing that an agent makes needs for one service; of all kinds together once they are joined.

    `before`: steps of others, before anything of a service that should run is touched, or a container is created. `between`: steps of
    others that come after its container has stopped, and before it starts. `to_set`: while no process uses it. `running`:
    once the container runs. `to_release`: when its old container is gone. `differences` are those of a container that is there, `lost`
    what it has lost on the host: only a new start brings that back. `must_stop`: it must not run while this is done. `is_drift`: what
    differs was as it should be once. `refusals`: why the service cannot have it.
    """

    before: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    to_set: tuple[HostStep, ...] = ()
    running: tuple[HostStep, ...] = ()
    to_release: tuple[HostStep, ...] = ()
    differences: tuple[Difference, ...] = ()
    lost: tuple[Difference, ...] = ()
    must_stop: bool = False
    is_drift: bool = True
    refusals: tuple[Refusal, ...] = ()


NO_PART = HostPart()


def joined(parts: Iterable[HostPart]) -> HostPart:
    """What all kinds need together, in their order."""
    every = tuple(parts)
    return HostPart(
        before=tuple(sorted(chain.from_iterable(part.before for part in every))),
        between=tuple(sorted(chain.from_iterable(part.between for part in every))),
        to_set=tuple(chain.from_iterable(part.to_set for part in every)),
        running=tuple(chain.from_iterable(part.running for part in every)),
        to_release=tuple(chain.from_iterable(part.to_release for part in every)),
        differences=tuple(chain.from_iterable(part.differences for part in every)),
        lost=tuple(chain.from_iterable(part.lost for part in every)),
        must_stop=any(part.must_stop or part.lost for part in every),
        is_drift=all(part.is_drift for part in every),
        refusals=tuple(chain.from_iterable(part.refusals for part in every)),
    )
