"""What the live view shows, as tables of texts that can be sorted and filtered. Pure. What is not known reads `unknown`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from dtnctl.cli.top.rates import InterfaceRate, Rates
from dtnctl.model.hardware import cpu_numbers, rdma_devices
from dtnctl.printable import plural, printable_text
from dtnctl.render.columns import Column
from dtnctl.render.quantities import bit_rate_text, estimate_text, link_speed_text, size_text

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface

    from dtnctl.model.progress import Measured
    from dtnctl.model.report import EndpointRow, SessionRow, TransferRow
    from dtnctl.model.resources import EndpointSeen
    from dtnctl.model.site import Site

UNKNOWN = "unknown"
BITS, MEGA = 8, 10**6
Sorting = tuple[bool, float | str]  # whether it is unknown, and the value
RUNNING = ("starting", "running", "verifying", "claimed")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and what it is sorted by where that is a number."""

    text: str
    number: float | None = None

    @property
    def sorting(self) -> Sorting:
        """What is unknown or empty comes last."""
        return (self.text in ("", UNKNOWN), self.text.casefold() if self.number is None else self.number)


@dataclass(frozen=True, slots=True)
class Line:
    """A row. `key` is unique in its table. `details` are all that is known of it, as names and values."""

    key: str
    cells: tuple[Cell, ...]
    details: tuple[tuple[str, str], ...] = ()

    def has(self, words: str) -> bool:
        """Whether any cell has these words, in capitals or not."""
        return any(words.casefold() in cell.text.casefold() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def chosen(self, words: str, column: int | None, *, is_reversed: bool = False) -> tuple[Line, ...]:
        """The lines that have the words, sorted by that column, or as they come; what is unknown comes last in both directions."""
        found = [line for line in self.lines if line.has(words)]
        if column is None:
            return tuple(found)
        known = [line for line in found if not line.cells[column].sorting[0]]
        known.sort(key=lambda line: _comparable(line.cells[column]), reverse=is_reversed)
        return (*known, *(line for line in found if line.cells[column].sorting[0]))


def _comparable(cell: Cell) -> tuple[float, str]:
    return (cell.number, "") if cell.number is not None else (0.0, cell.text.casefold())


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the site: a line of what it is, and its tables."""

    head: str
    tables: tuple[Table, ...]


def _text(value: str) -> Cell:
    return Cell(printable_text(value))


def _details(row: object) -> tuple[tuple[str, str], ...]:
    """The fields of a row that say anything."""
    values = ((item.name, getattr(row, item.name)) for item in fields(row))  # type: ignore[arg-type]  # rows are dataclasses
    return tuple(
        (name.replace("_", " "), printable_text(_value_text(value))) for name, value in values if value not in ("", None, (), False)
    )


def _value_text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value_text, value))
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)


# --- endpoints ------------------------------------------------------------------------------------------------------

ENDPOINTS = (
    Column("ENDPOINT", least=12),
    Column("STATE"),
    Column("ENGINE", drop=2),
    Column("AGENT", drop=3),
    Column("CPUS HELD", right=True, drop=1),
    Column("SESSIONS", right=True),
    Column("LEASE", least=8, drop=4),
)


def endpoint_table(rows: Sequence[EndpointRow], seen: Mapping[str, EndpointSeen]) -> Table:
    """Each endpoint: whether it answers, who holds its lease, and how many of its CPUs sessions hold."""
    return Table("endpoints", ENDPOINTS, tuple(_endpoint(row, seen[row.name]) for row in rows))


def _endpoint(row: EndpointRow, seen: EndpointSeen) -> Line:
    is_silent = row.state == "silent"
    agent = "silent" if row.agent_reason else row.agent
    cells = (
        _text(row.name),
        Cell("silent" if is_silent else "answers"),
        _text(UNKNOWN if is_silent else row.engine_version),
        _text(UNKNOWN if is_silent else agent),
        _cpus(seen),
        Cell(UNKNOWN) if row.sessions is None else Cell(f"{row.sessions:,}", row.sessions),
        _text(UNKNOWN if is_silent else row.lock or "free"),
    )
    return Line(row.name, cells, _details(row))


def _cpus(seen: EndpointSeen) -> Cell:
    """`10/64`: of those that are on line, as far as an agent reports them."""
    if seen.host is None:
        return Cell(UNKNOWN)
    online = set(cpu_numbers(seen.host.facts.cpus.online))
    held = {number for item in seen.containers if item.kind == "service" for number in cpu_numbers(item.spec.cpu_set)}
    return Cell(f"{len(held & online)}/{len(online)}", len(held & online))


# --- interfaces -----------------------------------------------------------------------------------------------------

INTERFACES = (
    Column("ENDPOINT", least=12),
    Column("INTERFACE", least=8),
    Column("IN", right=True),
    Column("OUT", right=True),
    Column("SPEED", right=True),
    Column("LOAD", right=True),
    Column("LOST/S", right=True, drop=1),
    Column("NETWORKS", least=8, drop=2),
)


def interface_table(site: Site, seen: Mapping[str, EndpointSeen], rates: Rates) -> Table:
    """Each card that is up, and each interface that carries a network, of the endpoints whose agent reports them."""
    return Table("interfaces", INTERFACES, tuple(_interfaces(site, seen, rates)))


def _interfaces(site: Site, seen: Mapping[str, EndpointSeen], rates: Rates) -> Iterator[Line]:
    for endpoint, found in seen.items():
        named: dict[str, list[str]] = {}
        for network, interface in sorted(site.endpoints[endpoint].value.interfaces.items()):
            named.setdefault(interface, []).append(network)
        if found.host is None:
            yield from (_unknown_interface(endpoint, interface, networks) for interface, networks in sorted(named.items()))
            continue
        for item in found.host.facts.interfaces:
            if item.name in named or (item.pci and not item.physfn and item.is_up):
                is_whole = not _is_bypassed(found, found.host, item)
                yield _interface(endpoint, item, named.get(item.name, []), rates.of(endpoint, item.name), is_whole=is_whole)


def _is_bypassed(seen: EndpointSeen, host: Host, item: Interface) -> bool:
    """Whether data may cross its link that it does not count: of virtual functions in use, and of RDMA devices that sessions have."""
    if any(held.pf_pci == item.pci for held in host.held.vfs) or any(vf.holder for vf in (item.sriov.vfs if item.sriov else ())):
        return True
    given = {device.host for live in seen.containers if live.kind == "service" for device in live.spec.devices}
    return any(f"/dev/infiniband/{device.uverbs}" in given for device in rdma_devices(host, interface=item))


def _unknown_interface(endpoint: str, interface: str, networks: Sequence[str]) -> Line:
    unknown = Cell(UNKNOWN)
    cells = (_text(endpoint), _text(interface), unknown, unknown, unknown, unknown, unknown, _text(", ".join(networks)))
    return Line(f"{endpoint} {interface}", cells, (("endpoint", endpoint), ("interface", interface)))


def _interface(endpoint: str, item: Interface, networks: Sequence[str], rate: InterfaceRate, *, is_whole: bool) -> Line:
    most = max((value for value in (rate.received, rate.sent) if value is not None), default=None)
    speed = item.speed or 0
    load = most * BITS / (speed * MEGA) * 100 if most is not None and speed and is_whole else None
    cells = (
        _text(endpoint),
        _text(item.name),
        _rate(rate.received),
        _rate(rate.sent),
        Cell(link_speed_text(speed), speed) if speed else Cell("down" if not item.is_up or item.carrier is False else UNKNOWN),
        Cell(UNKNOWN) if load is None else Cell(f"{load:.0f} %", load),
        Cell(UNKNOWN) if rate.losses is None else Cell(f"{rate.losses:.0f}", rate.losses),
        _text(", ".join(networks)),
    )
    details = [("endpoint", endpoint), ("interface", item.name), ("driver", item.driver), ("pci", item.pci), ("mtu", str(item.mtu))]
    details += [("addresses", ", ".join(item.addresses)), ("networks", ", ".join(networks))]
    details += [(name, f"{count:,}") for name, count in sorted(item.counters.items())]
    return Line(f"{endpoint} {item.name}", cells, tuple((name, printable_text(value)) for name, value in details if value))


def _rate(value: float | None) -> Cell:
    return Cell(UNKNOWN) if value is None else Cell(bit_rate_text(value), value)


# --- sessions and transfers -----------------------------------------------------------------------------------------

SESSIONS = (
    Column("SESSION", least=12),
    Column("STATE"),
    Column("ENDPOINTS", least=12),
    Column("IMAGE", least=8, drop=2),
    Column("ERROR", least=12, drop=1),
)
TRANSFERS = (
    Column("TRANSFER", least=12),
    Column("STATE"),
    Column("DONE", right=True),
    Column("MOVED", right=True),
    Column("RATE", right=True),
    Column("LEFT", right=True),
    Column("OF LIMIT", right=True, drop=1),
    Column("FROM → TO", least=12, drop=2),
)


def session_table(rows: Sequence[SessionRow]) -> Table:
    """Each session; those that are not as they should be come first."""
    ordered = sorted(rows, key=lambda row: (row.state in ("STARTED", "INITIALIZED", "STOPPED") and not row.errors, row.name))
    return Table("sessions", SESSIONS, tuple(_session(row) for row in ordered))


def _session(row: SessionRow) -> Line:
    words = (row.name, row.state, ", ".join(row.endpoints), row.image, "; ".join(row.errors))
    return Line(row.name, tuple(map(_text, words)), _details(row))


def transfer_table(rows: Sequence[TransferRow], measured: Mapping[str, Measured]) -> Table:
    """Each transfer; those that run come first."""
    ordered = sorted(rows, key=lambda row: (row.state not in RUNNING, row.name))
    return Table("transfers", TRANSFERS, tuple(_transfer(row, measured.get(row.name)) for row in ordered))


def _transfer(row: TransferRow, now: Measured | None) -> Line:
    moved, rate = row.bytes, row.bytes_per_second
    if row.state == "running" and now is not None:
        moved, rate = now.bytes, now.rate
        done = min(99.0, now.bytes * 100 / now.total) if now.total else None
        left = Cell(UNKNOWN) if now.eta is None else Cell(estimate_text(now.eta), now.eta)
    else:
        left = Cell(UNKNOWN if row.state in RUNNING else "")
        done = 100.0 if row.state == "succeeded" else None
    is_quiet = row.state not in RUNNING and rate is None
    share = rate / row.limit_bytes_per_second * 100 if rate is not None and row.limit_bytes_per_second else None
    cells = (
        _text(row.name),
        _text(row.state),
        Cell("" if is_quiet else UNKNOWN) if done is None else Cell(f"{done:.0f} %", done),
        Cell("" if is_quiet else UNKNOWN) if moved is None else Cell(size_text(moved), moved),
        Cell("") if is_quiet else _rate(rate),
        left,
        Cell("" if is_quiet else UNKNOWN) if share is None else Cell(f"{share:.0f} %", share),
        _text(f"{row.source} → {row.destination}"),
    )
    return Line(row.name, cells, _details(row))


def head_text(site: str, endpoints: Sequence[EndpointRow], sessions: Sequence[SessionRow], transfers: Sequence[TransferRow]) -> str:
    """`scinet · 3 endpoints, 1 silent · 12 sessions · 2 transfers run`."""
    silent = sum(row.state == "silent" for row in endpoints)
    running = sum(row.state in RUNNING for row in transfers)
    parts = [site, plural(len(endpoints), "endpoint") + (f", {silent:,} silent" if silent else "")]
    parts += [plural(len(sessions), "session"), f"{plural(running, 'transfer')} {'runs' if running == 1 else 'run'}"]
    return printable_text(" · ".join(parts))
