"""Makes QoS on one interface of the network namespace that the wire is in, reads it back, and restores what was there."""

from __future__ import annotations

from dtn_agent.errors import RefusedError
from dtn_agent.protocol.qos import HeldQos, QosSettings
from dtn_agent.queueing.making import make_tree, restore_exactly
from dtn_agent.queueing.tree import OURS, PRIO, settings_of, tree_of
from dtn_agent.queueing.wire import QueuedLink, Wire
from dtn_agent.queueing.words import exact_words


def live_settings(wire: Wire, address: str) -> QosSettings | None:
    """What the interface with this address is shaped to; None if that is none of what we make."""
    link = wire.link_with(address)
    return None if link is None else _settings(wire, link)


def queueing_before(wire: Wire, entry: HeldQos, before: HeldQos | None) -> str | None:
    """What to restore one day: what an administrator set up there, else what is remembered. RefusedError if it could not be restored.

    The kernel's default does not clear what is remembered: an agent that is killed between removing the one and making the other leaves it.
    """
    queues = wire.queues(_link(wire, entry))
    if all(queue.handle == 0 or queue.handle in OURS for queue in queues):
        return None if before is None else before.found
    try:
        return exact_words(queues)
    except ValueError as error:
        raise RefusedError("unsupported", f"{entry.container}: {error}") from None


def shape(wire: Wire, entry: HeldQos) -> bool:
    """Make it as wanted and read it back; False if it was so already."""
    link = _link(wire, entry)
    if _settings(wire, link) == entry.wanted:
        return False
    try:
        make_tree(wire, link, tree_of(entry.wanted, link.mtu))
    except OSError as error:
        raise RefusedError("failed", f"{entry.container}: the kernel does not take this QoS: {error.strerror or error}") from None
    now = _settings(wire, link)
    if now != entry.wanted:
        raise RefusedError("failed", f"{entry.container}: {entry.wanted} was made, and the kernel has {now}")
    return True


def restore_queueing(wire: Wire, entry: HeldQos) -> None:
    """As it was. An interface that is gone, or that was set up by another program since, is left alone."""
    link = wire.link_with(entry.address)
    if link is None or not any(queue.handle in OURS for queue in wire.queues(link)):
        return
    wire.remove_root(link)
    if entry.found is not None:
        restore_exactly(wire, link, entry.found)


def _settings(wire: Wire, link: QueuedLink) -> QosSettings | None:
    queues = wire.queues(link)
    filters = wire.filters(link, PRIO) if any(queue.handle == PRIO for queue in queues) else ()
    return settings_of(queues, filters)


def _link(wire: Wire, entry: HeldQos) -> QueuedLink:
    link = wire.link_with(entry.address)
    if link is None:
        raise RefusedError("not-found", f"{entry.container} has no interface with {entry.address}")
    return link
