"""What this kernel can do to queues, found by trying it in a network namespace that is made for that and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from dtn_agent.namespaces import in_a_new_one
from dtn_agent.protocol import Ability
from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.making import make_tree
from dtn_agent.queueing.tree import Tree, tree_of
from dtn_agent.queueing.wire import QueuedLink, Wire, open_wire

MTU = 1500
TRIALS = {
    "fq": (QosSettings(pacing=1000), "sch_fq"),
    "netem": (QosSettings(delay=1.0), "sch_netem"),
    "tbf": (QosSettings(rate=1000), "sch_tbf"),
}
SELECTIONS = {"ports": QosSettings(ports=(1,)), "destinations": QosSettings(destinations=("192.0.2.1", "2001:db8::/32"))}


def queueing_abilities() -> tuple[Ability, ...]:
    """`destinations`, `fq`, `netem`, `ports` and `tbf`; the kernel loads the modules that it has while it is asked."""
    try:
        return in_a_new_one(lambda: tuple(_try_all()))
    except OSError as error:
        why = f"no network namespace can be made to try it: {error.strerror}"
        return tuple(Ability(name=name, lacks=why) for name in (*TRIALS, *SELECTIONS))


def _try_all() -> Iterator[Ability]:
    with open_wire() as wire:
        lo = wire.link("lo")
        assert lo is not None  # every namespace has it
        for name, (settings, module) in TRIALS.items():
            yield Ability(name=name, lacks=_lack(wire, lo, tree_of(settings, MTU), (module,)))
        for name, settings in SELECTIONS.items():
            yield Ability(name=name, lacks=_lack(wire, lo, tree_of(settings, MTU), ("sch_prio", "cls_flower")))


def _lack(wire: Wire, link: QueuedLink, tree: Tree, modules: tuple[str, ...]) -> str:
    """Why this tree cannot be made, in a sentence; empty if it can."""
    try:
        make_tree(wire, link, tree)
    except FileNotFoundError as error:
        return f"this kernel has no {' or no '.join(modules)}: {error.strerror}"
    except OSError as error:
        return f"the kernel refuses {' and '.join(modules)}: {error.strerror}"
    else:
        return ""
    finally:
        wire.remove_root(link)
