"""One queueing discipline of a NIC as text: `fq maxrate 20000mbit`, `mq fq`, `pfifo_fast`. Pure.

`mq KIND` is mq at the root and KIND below each of the NIC's transmit queues; KIND alone is one queue for the whole NIC, with one
lock. Rates are written in the largest of mbit, kbit and bit that leaves no fraction, so that equal rates are equal texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dtn_agent.queueing.options import NO_RATE, fq_max_rate, fq_options
from dtn_agent.queueing.wire import ROOT, Queue

SIMPLE = ("fq", "fq_codel", "noqueue", "pfifo", "pfifo_fast")
MULTIQUEUE = "mq"
EXACTLY = " = "  # between the words for a person and the options' bytes

_RATE = re.compile(r"^([0-9]{1,15})(k|m|g|t)?bit$")
_FACTOR = {None: 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def normal_words(text: str) -> str:
    """The same discipline in normal form; ValueError, with what can be written, if it is none that we can make."""
    words = text.split()
    below = words[1:] if words[:1] == [MULTIQUEUE] else words
    if not below or below[0] not in SIMPLE:
        raise ValueError(f"`{text}` is not one of {', '.join(SIMPLE)}, alone or after `mq`")
    kind, *options = below
    if options and (kind != "fq" or len(options) != 2 or options[0] != "maxrate"):
        raise ValueError(f"`{text}`: only fq takes an option here, `maxrate RATE`")
    spoken = _spoken(kind, parse_rate(options[1]) if options else None)
    return f"{MULTIQUEUE} {spoken}" if below is not words else spoken


def parse_rate(text: str) -> int:
    """Bytes/s of `20gbit`, `20000mbit`, `500kbit`; ValueError if it is no rate that fq can pace to."""
    match = _RATE.fullmatch(text)
    rate = int(match[1]) * _FACTOR[match[2]] // 8 if match else 0
    if not 0 < rate < NO_RATE:
        raise ValueError(f"`{text}` is not a rate from 8bit to 34359mbit, the most that fq can pace a flow to")
    return rate


def show_rate(rate: int) -> str:
    """The text for this number of bytes/s."""
    bits = rate * 8
    unit, factor = next((unit, factor) for unit, factor in (("mbit", 10**6), ("kbit", 1000), ("bit", 1)) if bits % factor == 0)
    return f"{bits // factor}{unit}"


def is_multiqueue(words: str) -> bool:
    """Whether there is one below each transmit queue."""
    return words.split()[0] == MULTIQUEUE


def options_of(words: str) -> tuple[str, bytes]:
    """Kind and options of a normal text without its `mq`."""
    kind, *options = words.split()[is_multiqueue(words) :]
    return kind, fq_options(parse_rate(options[1]) if options else None) if kind == "fq" else b""


def spoken(queues: Sequence[Queue]) -> str:
    """What stands on a NIC, in words. What we would not make has words too, but ones that are never asked for."""
    root = next((queue for queue in queues if queue.parent == ROOT), None)
    if root is None:
        return "noop"  # the kernel lists nothing for an interface that is down
    if root.kind != MULTIQUEUE:
        return _spoken_queue(root) if len(queues) == 1 else f"{root.kind} with others below"
    below = sorted({_spoken_queue(queue) for queue in queues if queue is not root})
    return " ".join([MULTIQUEUE, *below])


def exact_words(queues: Sequence[Queue]) -> str:
    """The words, and after ` = ` every option, so that exactly this can be made again; ValueError if it is more than we can make."""
    below = [queue for queue in queues if queue.parent != ROOT or queue.kind != MULTIQUEUE]
    kinds = {(queue.kind, queue.options) for queue in below}
    if len(kinds) != 1 or below[0].kind not in SIMPLE or (len(below) > 1 and queues[0].kind != MULTIQUEUE):
        raise ValueError(
            f"`{spoken(queues)}` was not set up by dtnctl and could not be restored; remove it first: tc qdisc del dev NIC root"
        )
    return spoken(queues) + EXACTLY + below[0].options.hex()


def exactly(text: str) -> tuple[bool, str, bytes]:
    """Whether mq is at the root, the kind, and the options, of an exact text."""
    words, _, options = text.partition(EXACTLY)
    return is_multiqueue(words), options_of(words)[0], bytes.fromhex(options)


def _spoken_queue(queue: Queue) -> str:
    return _spoken(queue.kind, fq_max_rate(queue.options) if queue.kind == "fq" else None)


def _spoken(kind: str, rate: int | None) -> str:
    return kind if rate is None else f"{kind} maxrate {show_rate(rate)}"
