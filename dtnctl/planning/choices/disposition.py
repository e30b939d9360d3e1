"""What a plan does with that which it does not converge: choices are made around it. Pure values."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.planning.resolve import Key


@dataclass(frozen=True, slots=True)
class Disposition:
    """Live containers that stay as they are, and those that go, as (endpoint, name). `works` are the services that get steps.

    `forgotten` are sessions, as (endpoint, session), that have neither a service nor a container, so that what an agent still holds for
    them goes. `fixed` are interfaces, as (endpoint, name), whose number of virtual functions this run leaves alone.
    """

    stays: frozenset[Key] = frozenset()
    goes: frozenset[Key] = frozenset()
    works: frozenset[Key] = frozenset()
    forgotten: frozenset[Key] = frozenset()
    fixed: frozenset[Key] = frozenset()
