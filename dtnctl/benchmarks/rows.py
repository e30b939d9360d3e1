"""What `dtnctl bench network` compares, and the session that carries one row of it: planned, made and removed like any declared one. Pure.

The session is in no file: a plan without it removes it again, which is what the next plan does after a run that was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.errors import UsageError
from dtnctl.model.container_parts import Capabilities, HealthCheck
from dtnctl.model.drivers import ENGINE_BRIDGE, HOST_NETWORK
from dtnctl.model.effective import effective_profile
from dtnctl.model.networking import is_publishing
from dtnctl.model.profile import Attachment, Profile, ProfileFields, Volume
from dtnctl.model.site import Document, Endpoint, Location, Mark, Network, Session, Site

BENCH = "dtnctl-bench"  # the session's and profile's name
COMMAND = "dtnctl bench"  # stands where a plan names the file that asked for something
NATIVE = "native"
TEMPORARY = "/tmp"  # noqa: S108  # in the container, as a tmpfs: iperf3 has its buffers in a file there
# Ends at once when it is stopped, which a shell as process 1 does only for signals that it handles.
IDLE = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"


@dataclass(frozen=True, slots=True)
class Row:
    """One way from end to end. `mode` is the driver, `native` or `host`; `network` is the name of the network, empty for `native`."""

    mode: str
    network: str = ""

    @property
    def label(self) -> str:
        """`macvlan data`; what exists without a file has one name only."""
        return self.mode if self.network in ("", self.mode) else f"{self.mode} {self.network}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not measured, and why."""

    row: Row
    why: str


@dataclass(frozen=True, slots=True)
class Ends:
    """The sending and the receiving endpoint."""

    sender: str
    receiver: str

    @property
    def names(self) -> tuple[str, str]:
        return self.sender, self.receiver


# --- which rows ---------------------------------------------------------------------------------------------


def network_rows(site: Site, ends: Ends, modes: Iterable[str] = ()) -> tuple[tuple[Row, ...], tuple[LeftOut, ...]]:
    """The rows to measure, and those that the declarations leave out. `modes`: only these, by driver or by network; empty: all."""
    wanted = frozenset(modes)
    chosen: list[Row] = []
    left: list[LeftOut] = []
    for row, why in _candidates(site, ends):
        if wanted and wanted.isdisjoint((row.mode, row.network)):
            continue
        if why:
            left.append(LeftOut(row, why))
        else:
            chosen.append(row)
    return tuple(chosen), tuple(left)


def _candidates(site: Site, ends: Ends) -> Iterator[tuple[Row, str]]:
    """Every row, with the reason why it cannot be measured."""
    yield Row(NATIVE), _why_not_native(site, ends)
    yield Row(HOST_NETWORK, HOST_NETWORK), ""
    yield Row(ENGINE_BRIDGE, ENGINE_BRIDGE), ""
    for name, document in site.networks.items():
        yield Row(document.value.driver, name), _why_not(site, ends, name, document.value)


def _why_not_native(site: Site, ends: Ends) -> str:
    closed = [name for name in ends.names if site.endpoints[name].value.address.scheme != "ssh"]
    how = f"{' and '.join(closed)} {'are' if len(closed) > 1 else 'is'} declared"
    return f"only `docker: ssh://…` reaches the hosts themselves, which is not how {how}" if closed else ""


def _why_not(site: Site, ends: Ends, name: str, network: Network) -> str:
    row = network.driver_row
    lacking = [end for end in ends.names if row.needs_interface and name not in site.endpoints[end].value.interfaces]
    if lacking:
        return f"{' and '.join(lacking)} does not say in `interfaces` which one carries it"
    if row.is_inside_host and not is_publishing(site.networks, name):
        return "other hosts reach nothing in it: it publishes no ports"
    return ""


# --- the session of a row -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basis:
    """What all rows have in common: the settings to start from, those of a session where there is one."""

    image: str
    session: str = ""
    settings: Mapping[str, ProfileFields] | None = None  # by endpoint


def basis_of(site: Site, ends: Iterable[str], now: datetime, *, session: str = "", image: str = "") -> Basis:
    """The image and settings of the named session, or of the one that all ends have. UsageError says what to add."""
    names = tuple(ends)
    covering = sorted(
        item.name for item in site.sessions.values() if set(names) <= set(item.value.endpoints) and not item.value.is_expired(now)
    )
    if session and session not in covering:
        raise UsageError(f"no session {session} on {' and '.join(names)}; there are {', '.join(covering) or 'none'}")
    if not session and not image and len(covering) != 1:
        raise UsageError(f"which image? sessions on {' and '.join(names)}: {', '.join(covering) or 'none'}; add --session or --image")
    if not session and len(covering) != 1:
        return Basis(image)
    document = site.sessions[session or covering[0]]
    settings = {name: effective_profile(site, document, name) for name in names}
    found = sorted({item.image or "" for item in settings.values()})
    if not image and (len(found) != 1 or not found[0]):
        raise UsageError(f"session {document.name} has no one image on {' and '.join(names)}; add --image")
    return Basis(image or found[0], document.name, settings)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was asked for beside the ends: the ports that one is chosen from, and the CPUs that containers run on (empty: all)."""

    ports: tuple[int, int]
    cpus: str = ""


def network_site(site: Site, ends: Ends, row: Row, basis: Basis, choices: Choices) -> Site:
    """The site with one more session: a container at each end, on the row's network and no other."""
    is_built_in = row.network in (HOST_NETWORK, ENGINE_BRIDGE)
    attachment = Attachment(name=row.network)
    own = {
        "mgmt_net": attachment if is_built_in else None,
        "data_nets": () if is_built_in else (attachment,),
        "serv_port_range": choices.ports,
        "cpu_set": choices.cpus or None,
    }
    return with_session(site, ends.names, basis, dict.fromkeys(ends.names, own))


def reached_at_host(site: Site, row: Row) -> bool:
    """Whether the receiver is reached at an address of its host, not at one of its own."""
    return row.mode == NATIVE or row.network == HOST_NETWORK or is_publishing(site.networks, row.network)


# What a row takes over from the session that it starts from; everything else is the bench's own, equal in all rows.
INHERITED = ("volumes", "limits", "env", "dns", "memory", "memory_nodes", "shm_size", "pull", "tune_container")


def with_session(site: Site, ends: tuple[str, ...], basis: Basis, own: Mapping[str, Mapping[str, object]]) -> Site:
    """The site with the bench's session on these endpoints, for each of them `own` above what it starts from."""
    overrides = {name: _settings(basis, name, own[name]) for name in ends}
    session = Session(endpoints=ends, profile=BENCH).model_copy(update={"overrides": overrides})
    marks: Mapping[Location, Mark] = {(): Mark(0, 0)}
    return replace(
        site,
        sessions={**site.sessions, BENCH: Document(BENCH, COMMAND, session, marks)},
        profiles={**site.profiles, BENCH: Document(BENCH, COMMAND, Profile(), marks)},
    )


def without_sessions(site: Site) -> Site:
    """The site in which no session is declared: with a scope of the bench's own objects a plan for it removes these."""
    return replace(site, sessions={}, transfers={})


def _settings(basis: Basis, endpoint: str, own: Mapping[str, object]) -> ProfileFields:
    start = (basis.settings or {}).get(endpoint, ProfileFields(memory=None))
    taken = {name: getattr(start, name) for name in INHERITED}
    return ProfileFields().model_copy(update={**taken, **_plain(basis, start), **own})


def _plain(basis: Basis, start: ProfileFields) -> dict[str, object]:
    """A container that waits until commands are run in it."""
    has_own = any(volume.target == TEMPORARY for volume in start.volumes)
    return {
        "image": basis.image,
        "volumes": start.volumes if has_own else (*start.volumes, Volume(target=TEMPORARY)),
        "entrypoint": ("sh", "-c"),
        "arguments": (IDLE,),
        "health_check": HealthCheck(test=("NONE",)),
        "settle": 0.1,
        "restart": "no",
        "stop_timeout": 1.0,
        "tty": False,
        "init": False,
        "capabilities": Capabilities(),
        "ctrl_port_range": None,
    }


def refuse_taken_name(site: Site) -> None:
    """UsageError if the state declares something under the bench's own name."""
    for document in (site.sessions.get(BENCH), site.profiles.get(BENCH)):
        if document is not None:
            raise UsageError(f"{document.file}: the name {BENCH} is what `{COMMAND}` makes its own session with; rename it")


def host_address(endpoint: Endpoint, given: str) -> str:
    """Where the host's own ports are reached: what was typed, else `host:`, else the host of `docker:`."""
    return given or (endpoint.host if endpoint.host is not None else endpoint.address.host)
