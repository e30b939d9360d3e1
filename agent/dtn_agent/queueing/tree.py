"""What QoS of a service is in queueing disciplines, and back. Pure.

From the outside in: tbf for the rate of everything; prio, whose filters send packets to the named ports and addresses into its second
band; netem there (or for all packets); fq at each end for the pace of each flow. Where packets to an address are paced, and only some of
them impaired, the others go to a third band. What is not asked for is left out. The kinds and the order are fixed, and so are the
handles: a root with one of them is ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.options import (
    TCP,
    UDP,
    Match,
    Netem,
    flower_match,
    flower_options,
    fq_max_rate,
    fq_options,
    netem_of,
    netem_options,
    normal_destination,
    prio_options,
    tbf_options,
    tbf_rate,
)
from dtn_agent.queueing.wire import ROOT, Filter, Queue

TBF, PRIO, NETEM, FQ, FQ_OTHERS = (0xD700_0000 + number * 0x1_0000 for number in range(5))
OURS = frozenset({TBF, PRIO, NETEM, FQ, FQ_OTHERS})
IPV4, IPV6 = 0x0800, 0x86DD
KBIT = 125  # bytes/s
FASTEST = 100_000_000 * KBIT  # for how much may be under way where no rate is asked for
MICROSECOND = 1000  # nanoseconds
PACKET = 1500


@dataclass(frozen=True, slots=True)
class Tree:
    """In the order in which it is made: each below one that stands before it."""

    queues: tuple[Queue, ...]
    filters: tuple[Filter, ...] = ()


def normal_settings(settings: QosSettings) -> QosSettings:
    """The same in the precision that the kernel keeps: microseconds, millionths of a percent; zero is None; each list in order, once.

    ValueError for a destination that is no address or network.
    """
    return settings.model_copy(
        update={name: round(value, 3) or None for name in ("delay", "jitter") if (value := getattr(settings, name)) is not None}
        | {name: round(value, 6) or None for name in ("loss", "corrupt", "reorder") if (value := getattr(settings, name)) is not None}
        | {"ports": tuple(sorted(set(settings.ports)))}
        | {"destinations": tuple(sorted({normal_destination(text) for text in settings.destinations}))}
    )


def kinds_of(settings: QosSettings) -> tuple[str, ...]:
    """The abilities that it takes."""
    asked = (
        ("tbf", settings.rate),
        ("netem", _impairs(settings)),
        ("ports", settings.ports),
        ("destinations", settings.destinations),
        ("fq", settings.pacing),
    )
    return tuple(name for name, value in asked if value)


def tree_of(settings: QosSettings, mtu: int) -> Tree:
    """What is made for these settings on an interface with this MTU."""
    return Tree(tuple(_queues(settings, mtu)), tuple(_filters(settings)))


def _queues(settings: QosSettings, mtu: int) -> Iterator[Queue]:
    above = ROOT
    if settings.rate:
        yield Queue("tbf", TBF, above, _shaping(settings.rate * KBIT, mtu))
        above = TBF | 1
    if settings.ports or settings.destinations:
        yield Queue("prio", PRIO, above, prio_options(3 if _paces_others(settings) else 2))
        if settings.pacing and (_paces_others(settings) or not settings.destinations):
            yield Queue("fq", FQ_OTHERS, PRIO | (3 if _paces_others(settings) else 1), fq_options(settings.pacing * KBIT))
        above = PRIO | 2
    if _impairs(settings):
        yield Queue("netem", NETEM, above, netem_options(_netem(settings)))
        above = NETEM | 1
    if settings.pacing:
        yield Queue("fq", FQ, above, fq_options(settings.pacing * KBIT))


def _paces_others(settings: QosSettings) -> bool:
    """Whether packets to the addresses are paced that go to other ports than those that are impaired."""
    return bool(settings.pacing and settings.destinations and settings.ports)


def _filters(settings: QosSettings) -> Iterator[Filter]:
    """The kernel asks those of a lower number first, and wants a number of its own for each ethernet type."""
    for priority, ether_type in enumerate((IPV4, IPV6), start=1):
        to_these = [to for to in settings.destinations if (":" in to) == (ether_type == IPV6)]
        for to in to_these if settings.destinations else ("",):
            for protocol, port in [(protocol, port) for port in settings.ports for protocol in (TCP, UDP)] or [(0, 0)]:
                if to or port:
                    yield Filter("flower", PRIO, priority, ether_type, flower_options(Match(ether_type, PRIO | 2, protocol, port, to)))
            if _paces_others(settings):
                yield Filter("flower", PRIO, priority + 2, ether_type, flower_options(Match(ether_type, PRIO | 3, to=to)))


def _shaping(rate: int, mtu: int) -> bytes:
    """Two milliseconds at once and 50 in the queue, but never less than some whole packets."""
    burst = max(rate // 500, 2 * (mtu + 14))
    return tbf_options(rate, min(burst, 2**31), min(rate // 20 + 4 * burst, 2**32 - 1))


def _netem(settings: QosSettings) -> Netem:
    seconds = ((settings.delay or 0) + (settings.jitter or 0)) / 1000
    under_way = math.ceil(seconds * (settings.rate * KBIT if settings.rate else FASTEST) / PACKET)
    return Netem(
        delay=round((settings.delay or 0) * 1000) * MICROSECOND,
        jitter=round((settings.jitter or 0) * 1000) * MICROSECOND,
        loss=settings.loss or 0.0,
        corrupt=settings.corrupt or 0.0,
        reorder=settings.reorder or 0.0,
        limit=min(1000 + under_way, 4_000_000),  # netem drops what is beyond, as if the path did
    )


def _impairs(settings: QosSettings) -> bool:
    return any((settings.delay, settings.jitter, settings.loss, settings.corrupt, settings.reorder))


# --- back ---------------------------------------------------------------------------------------------------------------


def settings_of(queues: Sequence[Queue], filters: Sequence[Filter]) -> QosSettings | None:
    """The settings that these came from; None if they came from no settings of ours."""
    found = {queue.handle: queue for queue in queues}
    matches = [match for item in filters if (match := flower_match(item.options))]
    fq, netem, tbf = found.get(FQ), found.get(NETEM), found.get(TBF)
    pacing = fq_max_rate(fq.options) if fq and fq.kind == "fq" else None
    settings = QosSettings(
        rate=tbf_rate(tbf.options) // KBIT if tbf and tbf.kind == "tbf" else None,
        pacing=None if pacing is None else pacing // KBIT,
        ports=tuple(sorted({match.port for match in matches} - {0})),
        destinations=tuple(sorted({match.to for match in matches} - {""})),
        **_impairments(netem_of(netem.options) if netem and netem.kind == "netem" else Netem()),
    )
    return settings if _same(tree_of(settings, PACKET), queues, filters) else None


def _impairments(netem: Netem) -> dict[str, float | None]:
    return {
        "delay": round(netem.delay / 1e6, 3) or None,
        "jitter": round(netem.jitter / 1e6, 3) or None,
        "loss": netem.loss or None,
        "corrupt": netem.corrupt or None,
        "reorder": netem.reorder or None,
    }


def _same(tree: Tree, queues: Sequence[Queue], filters: Sequence[Filter]) -> bool:
    """Every queue at its place with its numbers, and exactly these filters."""
    return (
        sorted(map(_compared, tree.queues)) == sorted(map(_compared, queues))
        and {flower_match(item.options) for item in tree.filters} == {flower_match(item.options) for item in filters}
        and all(item.kind == "flower" for item in filters)
    )


def _compared(queue: Queue) -> tuple[int, int, str, str]:
    """Place, kind and the numbers that matter; the kernel adds others when it reports them."""
    match queue.kind:
        case "tbf":
            numbers = str(tbf_rate(queue.options))
        case "netem":
            netem = netem_of(queue.options)
            numbers = str((netem.delay // MICROSECOND, netem.jitter // MICROSECOND, netem.loss, netem.corrupt, netem.reorder))
        case "fq":
            numbers = str(fq_max_rate(queue.options))
        case "prio":
            numbers = queue.options[:20].hex()
        case _:
            numbers = queue.options.hex()
    return queue.handle, queue.parent, queue.kind, numbers
