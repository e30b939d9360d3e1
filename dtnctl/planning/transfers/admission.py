"""Decides which transfers have room on their endpoints, and what the others wait for. Pure.

What is limited is held in shares: who starts takes free ones, else those of transfers of this plan, after whose end it starts. So no more
is ever used at the same time than there is. What transfers of earlier applies hold is free again for the apply after their end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.actions import FinishTransfer
from dtnctl.model.fields import show_rate
from dtnctl.model.site import Document, Endpoint
from dtnctl.planning.resolve import Key, ResolvedTransfer, Service
from dtnctl.planning.transfers.declared import TransferPlan
from dtnctl.planning.transfers.jobs import History
from dtnctl.planning.transfers.order import delayed, has_window, waiting

NAMED = 3  # as many holders are named


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what is limited. `step`: after the end of which it is free; empty if it is free now."""

    amount: int
    step: str = ""
    holder: str = ""


@dataclass(slots=True)
class Room:
    """One thing that is limited. `title` says what it is, with the amounts as `show` writes them; empty `need`: one is the usual amount.

    `running` are holders of earlier applies.
    """

    title: str
    total: int
    show: Callable[[int], str] = str
    need: str = ""
    running: list[tuple[str, int]] = field(default_factory=list)
    shares: deque[Share] = field(default_factory=deque)

    def open(self) -> None:
        """Everything that no running transfer holds is free."""
        left = self.total - sum(amount for _, amount in self.running)
        if left > 0:
            self.shares.append(Share(left))

    def has(self, amount: int, *, at_once: bool) -> bool:
        """Whether this plan can give so much: now, or also after the end of its own transfers."""
        return sum(share.amount for share in self.shares if not (at_once and share.step)) >= amount

    def take(self, amount: int, step: str, holder: str) -> list[Share]:
        """The shares that the holder gets, those that are free first; they are free again after the step."""
        taken: list[Share] = []
        rest = amount
        while rest:
            share = self.shares.popleft()
            if share.amount > rest:
                self.shares.appendleft(Share(share.amount - rest, share.step, share.holder))
                share = Share(rest, share.step, share.holder)
            rest -= share.amount
            taken.append(share)
        self.shares.append(Share(amount, step, holder))
        return taken

    def text(self, amount: int) -> str:
        """What is used, of how much, by whom, and how much one more needs."""
        held = [*self.running, *((share.holder, share.amount) for share in self.shares if share.holder)]
        names = list(dict.fromkeys(name for name, _ in held))
        named = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        used = sum(amount for _, amount in held)
        found = self.title.format(used=self.show(used), total=self.show(self.total)) + (f" ({named})" if names else "")
        return f"{found}, {self.need.format(self.show(amount))}" if self.need else found


@dataclass(slots=True)
class Admission:
    """The rooms of all endpoints and services; None for what is not limited. `occupied` is what running transfers hold of them."""

    services: Mapping[Key, Service]
    endpoints: Mapping[str, Document[Endpoint]]
    rooms: dict[tuple[str, ...], Room | None] = field(default_factory=dict)
    occupied: dict[tuple[str, ...], list[tuple[str, int]]] = field(default_factory=dict)

    def occupy(self, history: History, declared: Mapping[str, ResolvedTransfer]) -> None:
        """Running transfers hold what their files say; of one without a file only the endpoint that it runs on is known."""
        for (endpoint, name), jobs in history.containers.items():
            if any(job.is_active for job in jobs):
                resolved = declared.get(name)
                is_known = resolved is not None and resolved.source_endpoint == endpoint
                demands = _demands(resolved) if resolved is not None and is_known else ((("transfers", endpoint), 1),)
                for key, amount in demands:
                    self.occupied.setdefault(key, []).append((name, amount))

    def admit(self, resolved: ResolvedTransfer, result: TransferPlan) -> TransferPlan:
        """The plan of a transfer that would start: as it is, after the end of others of this plan, or waiting."""
        if not result.starts:
            return result
        demands = [(room, amount) for key, amount in _demands(resolved) if (room := self._room(key)) is not None]
        for room, amount in demands:
            if not room.has(amount, at_once=has_window(resolved)):
                return waiting(resolved, f"{room.text(amount)}; the first apply after the end of one of them starts it")
        (finish,) = (step.id for step in result.steps if isinstance(step.action, FinishTransfer))
        ends: dict[str, str] = {}
        reasons: list[str] = []
        for room, amount in demands:
            text = room.text(amount)
            awaited = {share.step: share.holder for share in room.take(amount, finish, resolved.transfer.name) if share.step}
            reasons += [text] if awaited else []
            ends |= awaited
        names = ", ".join(dict.fromkeys(ends.values()))
        note = f"waits: {'; '.join(reasons)}; starts after the end of {names}" if ends else ""
        return delayed(result, follows=tuple(ends), note=note)

    def _room(self, key: tuple[str, ...]) -> Room | None:
        if key not in self.rooms:
            room = self.rooms[key] = self._make_room(*key)
            if room is not None:
                room.running = self.occupied.get(key, [])
                room.open()
        return self.rooms[key]

    def _make_room(self, kind: str, endpoint: str, session: str = "") -> Room | None:
        limits = self.endpoints[endpoint].value.limits
        if kind == "transfers":
            return None if limits.transfers is None else Room(f"{endpoint} runs {{used}} of {{total}} transfers", limits.transfers)
        if kind == "bandwidth":
            title, need = f"transfers have {{used}} of the {{total}} of {endpoint}", "and it is declared with {}"
            return None if limits.bandwidth is None else Room(title, limits.bandwidth, show_rate, need)
        ports = self.services[endpoint, session].profile.data_port_range
        title, need = f"session {session} on {endpoint} uses {{used}} of {{total}} data ports", "and it needs {}"
        return None if ports is None else Room(title, ports[1] - ports[0] + 1, need=need)


def _demands(resolved: ResolvedTransfer) -> Iterator[tuple[tuple[str, ...], int]]:
    """What it uses at both ends. A file that is copied at the same time as others has a data port of its own at each."""
    value = resolved.transfer.value
    bandwidth = value.bandwidth or value.max_rate
    for endpoint, session in resolved.keys:
        yield ("transfers", endpoint), 1
        if bandwidth is not None:
            yield ("bandwidth", endpoint), bandwidth
        if value.tool_row.ports == "each file":
            yield ("ports", endpoint, session), value.concurrency
    if value.tool_row.has_server:
        yield ("ports", *resolved.keys[1]), value.tool_row.count_ports(value.parallelism)
