"""What plans and lists show of paths between sites, and of the bandwidth that is promised on interfaces. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.endpoint_summary import Usage


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path. `state` in the words of PathState, `declared` of one that others made, `missing`, or `unknown`: `words` say more.

    `ends` are texts such as `dtn1 ens1f0`. `vlan` and `mtu` are 0, and `bandwidth` (kbit/s) too, where there is none.
    """

    name: str
    provider: str
    state: str
    words: str = ""
    ends: tuple[str, ...] = ()
    vlan: int = 0
    bandwidth: int = 0
    mtu: int = 0
    network: str = ""


@dataclass(frozen=True, slots=True)
class PromisedBandwidth:
    """Bandwidth of paths over one interface, in kbit/s, before and after a plan. A total of 0 is unknown."""

    endpoint: str
    interface: str
    usage: Usage

    @property
    def is_too_much(self) -> bool:
        return 0 < self.usage.total < self.usage.after
