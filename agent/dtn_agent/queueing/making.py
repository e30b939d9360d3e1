"""Makes queueing disciplines on an interface, in the place of what is there. OSError leaves what was made before it."""

from __future__ import annotations

from dtn_agent.queueing.tree import Tree
from dtn_agent.queueing.wire import ROOT, Queue, QueuedLink, Wire
from dtn_agent.queueing.words import MULTIQUEUE, exactly

MULTIQUEUE_HANDLE = 0xD780_0000  # the queues below are named after it


def make_tree(wire: Wire, link: QueuedLink, tree: Tree) -> None:
    """All of it, each below one that is there by then."""
    wire.remove_root(link)
    for queue in tree.queues:
        wire.make(link, queue)
    for item in tree.filters:
        wire.make_filter(link, item)


def make_single(wire: Wire, link: QueuedLink, kind: str, options: bytes) -> None:
    """One for the whole interface. Removed first: a replacement of the same kind would keep the options that are not named."""
    wire.remove_root(link)
    wire.make(link, Queue(kind, 0, ROOT, options))


def make_multiqueue(wire: Wire, link: QueuedLink, kind: str, options: bytes) -> None:
    """mq, then this kind below each of its classes: one for each transmit queue that is in use."""
    wire.remove_root(link)
    wire.make(link, Queue(MULTIQUEUE, MULTIQUEUE_HANDLE))
    for below in wire.queues(link):
        if below.parent != ROOT:
            wire.replace(link, Queue(kind, 0, below.parent, options))


def restore_exactly(wire: Wire, link: QueuedLink, found: str) -> None:
    """What `exact_words` wrote, with all its options."""
    is_multiqueue, kind, options = exactly(found)
    (make_multiqueue if is_multiqueue else make_single)(wire, link, kind, options)
