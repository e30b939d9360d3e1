"""Shapes what containers send, inside their own network namespaces, and does so again when they start.

A container's namespace is new at each start, and its queueing with it. What is wanted is in the ledger; the engine's events say
when to make it again. Between the container's start and that there are some milliseconds in which it is not shaped.
"""

from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar, assert_never, get_args

from dtn_agent.audit import SILENT, Audit
from dtn_agent.engine.client import ENGINE_SOCKET, EngineClient, EngineContainer, Event, Events
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Ability, Done, Facts, Owner
from dtn_agent.protocol.qos import ClearQos, HeldQos, QosRequest, QosSettings, SetQos
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.container import inside
from dtn_agent.queueing.shaping import live_settings, queueing_before, restore_queueing, shape
from dtn_agent.queueing.tree import kinds_of, normal_settings
from dtn_agent.queueing.wire import Wire

SECONDS_TO_RETRY = 1.0
FASTEST_PACE = 34_359_738  # kbit/s; fq keeps bytes/s in 32 bits
NO_ANSWER = (OSError, http.client.HTTPException)

logger = logging.getLogger(__name__)
T = TypeVar("T")


class ContainerQos(HostResource[QosRequest]):
    """The queueing of what containers send. One request at a time. `proc` is where the engine's process numbers mean something.

    Nothing is restored but by `watch`: that asks the engine, and the engine waits at boot until we are ready, while systemd takes
    connections for it; each question took 10 s.
    """

    name = "QoS"
    requests = get_args(QosRequest)
    entry = HeldQos

    def __init__(self, ledger: Ledger, engine_socket: Path = ENGINE_SOCKET, proc: Path = Path("/proc"), audit: Audit = SILENT) -> None:
        self.ledger = ledger
        self.entries = ledger.section(HeldQos)
        self.engine = EngineClient(engine_socket)
        self.proc = proc
        self.audit = audit
        self._reasons: dict[tuple[str, ...], str] = {}  # why an entry could not be made again, as it was logged last
        self._one_at_a_time = threading.Lock()

    def perform(self, request: QosRequest) -> Done:
        match request:
            case SetQos():
                return self.set(request)
            case ClearQos():
                return self.clear(request)
            case _:
                assert_never(request)

    def set(self, request: SetQos) -> Done:
        """Shape the container now if it runs, and at each start. RefusedError leaves everything as it was.

        It is shaped on one network: what the site had asked for on another one is undone as far as that is there, and forgotten.
        """
        entry = _entry_of(request)
        _check_abilities(entry.wanted)
        with self._one_at_a_time:
            container = self._container(request.container)
            before = self.entries.get(*entry.identity)
            _check_owner(before, request.site)
            others = self._on_other_networks(entry)
            known = (
                not others
                and before is not None
                and (before.wanted, before.address, before.owner) == (entry.wanted, entry.address, entry.owner)
            )
            if container.pid is None:
                self.entries.put(entry)
                self.ledger.drop(*others)
                return Done(changed=not known, detail=f"{request.container} is shaped when it starts")
            try:
                self._leave(container, others)
                shaped = self._shape(container, entry, before)
            except RefusedError:
                self._go_back(container, entry, before)
                for other in others:
                    self._go_back(container, other, other)
                raise
            self.ledger.drop(*others)
            return Done(changed=shaped or not known, detail=f"{request.container} is shaped at {request.address}")

    def clear(self, request: ClearQos) -> Done:
        """Restore the queueing as it was, and forget ours. What is not ours, or is gone, is success."""
        with self._one_at_a_time:
            entries = [entry for entry in self.entries.all() if entry.container == request.container]
            for entry in entries:
                _check_owner(entry, request.site)
            if not entries:
                return Done(changed=False, detail=f"{request.container} has no QoS")
            container = self._asked(request.container)
            for entry in entries:
                if container is not None and container.pid is not None:
                    self._inside(container, partial(restore_queueing, entry=entry))
                self.entries.drop(*entry.identity)
            return Done(changed=True, detail=f"{request.container} sends as it did before")

    def held(self) -> tuple[HeldQos, ...]:
        """What is ours, with what the kernel has now."""
        return tuple(entry.model_copy(update={"now": self._now(entry)}) for entry in self.entries.all())

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """What of QoS this kernel can do, tried once: what it lacks does not change while it runs, and a try takes a while."""
        del facts
        return self._abilities

    @cached_property
    def _abilities(self) -> tuple[Ability, ...]:
        return queueing_abilities()

    def shape_all(self) -> None:
        """Shape every container that runs and is not shaped as asked for. What fails is logged, and the rest goes on."""
        for entry in self.entries.all():
            self._restore(entry)

    def watch(self, stop: threading.Event) -> None:
        """Shape containers again when they start, until `stop`; the engine may be away and come back meanwhile."""
        stream = _Stream()
        threading.Thread(target=stream.end_with, args=(stop,), name="end of events", daemon=True).start()
        while not stop.is_set():
            try:
                with self.engine.events() as events:
                    stream.follows(events, stop)
                    self.shape_all()  # subscribed by now: no start is missed in between. Nothing else restores QoS
                    for event in events:
                        self._shape_again(event)
            except NO_ANSWER as error:
                logger.info("the engine sends no events: %s", error)
            except ValueError as error:  # a line cut off when the engine was killed
                logger.info("the engine's events ended in the middle of one: %s", error)
            stop.wait(SECONDS_TO_RETRY)

    def _shape_again(self, event: Event) -> None:
        """A start event has the container's name; a network event has its id only, which may be that of any of ours."""
        for entry in self.entries.all():
            if event.name in ("", entry.container):
                self._restore(entry)

    def _restore(self, entry: HeldQos) -> None:
        try:
            with self._one_at_a_time:
                current = self.entries.get(*entry.identity)
                container = self._asked(entry.container)
                if current is not None and container is not None and container.pid is not None:
                    if self._shape(container, current, current):
                        self.audit.done(_audit_words(current), f"{current.container} is shaped again at {current.address}")
                    self._reasons.pop(entry.identity, None)
        except (RefusedError, *NO_ANSWER) as error:
            logger.warning("%s is not shaped: %s", entry.container, error)
            if self._reasons.get(entry.identity) != str(error):  # each network that any container gets is a reason to try
                self._reasons[entry.identity] = str(error)
                self.audit.refused(_audit_words(entry), error)

    def _shape(self, container: EngineContainer, entry: HeldQos, before: HeldQos | None) -> bool:
        """Whether anything had to be done. In the ledger first."""

        def work(wire: Wire) -> bool:
            found = queueing_before(wire, entry, before)
            self.entries.put(entry.model_copy(update={"found": found}))
            return shape(wire, entry)

        return self._inside(container, work)

    def _on_other_networks(self, entry: HeldQos) -> list[HeldQos]:
        """What the site asked for on other networks of this container."""
        mine = (entry.container, entry.owner.site)
        return [
            item for item in self.entries.all() if (item.container, item.owner.site) == mine and item.owner.network != entry.owner.network
        ]

    def _leave(self, container: EngineContainer, entries: Iterable[HeldQos]) -> None:
        """Restore what was before these. What cannot be is logged: it goes with the container's namespace."""
        for entry in entries:
            try:
                self._inside(container, partial(restore_queueing, entry=entry))
            except (RefusedError, OSError) as error:
                logger.warning("the queueing of %s at %s could not be restored: %s", entry.container, entry.address, error)

    def _go_back(self, container: EngineContainer, entry: HeldQos, before: HeldQos | None) -> None:
        """As it was before a refused request. If even that fails, the entry stays, so that ClearQos can try once more."""
        current = self.entries.get(*entry.identity)
        try:
            if before is not None:
                self._shape(container, before, before)
            elif current is not None:
                self._inside(container, partial(restore_queueing, entry=current))
                self.entries.drop(*current.identity)
        except (RefusedError, OSError) as error:
            logger.warning("the queueing of %s could not be restored: %s", entry.container, error)

    def _now(self, entry: HeldQos) -> QosSettings | None:
        try:
            container = self._asked(entry.container)
            if container is None or container.pid is None:
                return None
            now = self._inside(container, partial(live_settings, address=entry.address))
        except (RefusedError, *NO_ANSWER):
            return None
        return now if now == entry.wanted else None

    def _container(self, name: str) -> EngineContainer:
        found = self._asked(name)
        if found is None:
            raise RefusedError("not-found", f"there is no container {name}")
        return found

    def _asked(self, name: str) -> EngineContainer | None:
        try:
            return self.engine.container(name)
        except NO_ANSWER as error:
            raise RefusedError("failed", f"the container engine does not answer at {self.engine.path}: {error}") from None

    def _inside(self, container: EngineContainer, action: Callable[[Wire], T]) -> T:
        return inside(self.engine, self.proc, container, action)


class _Stream:
    """The open event stream, so that it can be ended from another thread: reading it waits for the next event, maybe for hours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Events | None = None

    def follows(self, events: Events, stop: threading.Event) -> None:
        with self._lock:
            self._events = events
            if stop.is_set():
                events.stop()

    def end_with(self, stop: threading.Event) -> None:
        stop.wait()
        with self._lock:
            if self._events is not None:
                self._events.stop()


def _entry_of(request: SetQos) -> HeldQos:
    """What is asked for, in normal form; RefusedError where it makes no sense."""
    asked = QosSettings.model_validate(request.model_dump(include=set(QosSettings.model_fields)))
    try:
        wanted = normal_settings(asked)
    except ValueError as error:
        raise RefusedError("bad-request", f"{request.container}: {error}") from None
    if not kinds_of(wanted.model_copy(update={"ports": (), "destinations": ()})):
        raise RefusedError("bad-request", f"{request.container}: nothing to do to packets: give a rate, a pace, a delay or a loss")
    if (wanted.jitter or wanted.reorder) and not wanted.delay:
        raise RefusedError("bad-request", f"{request.container}: jitter and reordering need a delay")
    if (wanted.pacing or 0) > FASTEST_PACE:
        raise RefusedError("bad-request", f"{request.container}: fq paces a flow to at most {FASTEST_PACE} kbit/s")
    if wanted.ports and "netem" not in kinds_of(wanted):
        raise RefusedError("bad-request", f"{request.container}: ports limit delay, loss, corruption and reordering, and none is asked for")
    if wanted.destinations and not {"netem", "fq"}.intersection(kinds_of(wanted)):
        raise RefusedError(
            "bad-request", f"{request.container}: destinations limit pacing, delay, loss and the like, and none is asked for"
        )
    owner = Owner(site=request.site, session=request.session, network=request.network)
    return HeldQos(container=request.container, owner=owner, address=request.address, wanted=wanted, now=None)


def _audit_words(entry: HeldQos) -> Mapping[str, object]:
    settings = entry.wanted.model_dump(mode="json", exclude_none=True)
    return {"do": "set-qos", **entry.owner.model_dump(), "container": entry.container, "address": entry.address, **settings}


def _check_abilities(wanted: QosSettings) -> None:
    lacks = {ability.name: ability.lacks for ability in queueing_abilities() if ability.lacks}
    missing = [lacks[name] for name in kinds_of(wanted) if name in lacks]
    if missing:
        raise RefusedError("unsupported", "; ".join(missing))


def _check_owner(entry: HeldQos | None, site: str) -> None:
    if entry is not None and entry.owner.site != site:
        raise RefusedError("conflict", f"the QoS of {entry.container} belongs to site {entry.owner.site}")
