"""The lists and the details of sessions, services, transfers and endpoints, as the talk's client showed them, and all on one screen.

Lists fit the width (columns leave, then cells are cut); `show_all` shows every column in full. Details never leave anything out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.quantities import bytes_text, duration_text, rate_text, share_text, size_text
from dtnctl.render.summary import named
from dtnctl.render.text import Role, Style, dotted, flow, look_of, plural, printable

if TYPE_CHECKING:
    from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow

ROLES: Mapping[str, Role] = {
    "STARTED": "create",
    "MIXED": "update",
    "ABSENT": "destroy",
    "UNKNOWN": "destroy",
    "running": "create",
    "healthy": "create",
    "succeeded": "create",
    "unhealthy": "destroy",
    "failed": "destroy",
    "partial": "destroy",
    "unknown": "destroy",
    "absent": "destroy",
    "silent": "destroy",
}

# --- sessions -----------------------------------------------------------------------------------------------

SESSION_COLUMNS = (
    Column("SESSION", least=12),
    Column("STATE"),
    Column("ENDPOINTS", least=16),
    Column("IMAGE", least=12),
    Column("PROFILE", drop=1),
    Column("USER", drop=2),
)


def render_sessions(rows: Sequence[SessionRow], context: RenderContext) -> str:
    """One line for each session; below the table what is wrong with some."""
    look, rows = look_of(context), printable(tuple(rows), ascii_only=context.ascii)
    return _text(_sessions(rows, context, look))


def _sessions(rows: Sequence[SessionRow], context: RenderContext, look: Style) -> list[str]:
    cells = [[row.name, row.state, ", ".join(row.endpoints), row.image, row.profile, row.user] for row in rows]
    errors = [(row.name, error) for row in rows for error in row.errors]
    return _listing(SESSION_COLUMNS, cells, "sessions", context, look) + _errors(errors, look)


def render_session(row: SessionRow, services: Sequence[ServiceRow], context: RenderContext) -> str:
    """Everything of one session, then of each of its services, as `field: value`."""
    look, row = look_of(context), printable(row, ascii_only=context.ascii)
    own = [service for service in printable(tuple(services), ascii_only=context.ascii) if service.session == row.name]
    lines = _fields(
        [
            ("session", row.name),
            ("state", row.state),
            ("endpoints", ", ".join(row.endpoints)),
            ("image", row.image),
            ("profile", row.profile),
            ("user", row.user),
            *_error_fields(row.errors),
            ("services", ""),
        ],
        look,
    )
    return _text([*lines, *(line for service in own for line in _service_detail(service, look))])


# --- services -----------------------------------------------------------------------------------------------

SERVICE_COLUMNS = (
    Column("SESSION", least=12),
    Column("ENDPOINT", least=12),
    Column("STATE"),
    Column("HEALTH", drop=3),
    Column("CTRL_HOST", least=12, drop=1),
    Column("CTRL_PORT", right=True),
    Column("SERV_PORT", right=True, drop=7),
    Column("DATA_PORTS", drop=4),
    Column("DATA_NET", drop=5),
    Column("DATA_IPV4", drop=2),
    Column("DATA_IPV6", drop=9),
    Column("USER", drop=8),
    Column("CONTAINER", drop=6),
    Column("IMAGE", drop=10),
)


def _services(rows: Sequence[ServiceRow], context: RenderContext, look: Style) -> list[str]:
    cells = [
        [
            row.session,
            row.endpoint,
            row.state,
            row.health,
            row.ctrl_host,
            _number(row.ctrl_port),
            _number(row.serv_port),
            row.data_ports,
            row.data_net_name,
            row.data_ipv4,
            row.data_ipv6,
            row.container_user,
            row.container_id[:12],
            row.image,
        ]
        for row in rows
    ]
    errors = [(f"{row.session} @ {row.endpoint}", error) for row in rows for error in row.errors]
    return _listing(SERVICE_COLUMNS, cells, "services", context, look) + _errors(errors, look)


def _service_detail(row: ServiceRow, look: Style) -> list[str]:
    fields = [
        ("state", row.state),
        ("health", row.health),
        ("data_net_name", row.data_net_name),
        ("data_ipv4", row.data_ipv4),
        ("data_ipv6", row.data_ipv6),
        ("container_user", row.container_user),
        ("ctrl_port", _number(row.ctrl_port)),
        ("ctrl_host", row.ctrl_host),
        ("serv_port", _number(row.serv_port)),
        ("data_ports", row.data_ports),
        *_rdma_fields(row),
        ("image", row.image),
        ("image_id", row.image_id),
        ("profile", row.profile),
        *_error_fields(row.errors),
        ("container_name", row.container_name),
        ("container_id", row.container_id),
    ]
    return ["  " + look.paint("bold", row.endpoint), *_fields(fields, look, indent=4)]


def _rdma_fields(row: ServiceRow) -> list[tuple[str, str]]:
    if not row.rdma_device:
        return []
    return [("rdma_device", row.rdma_device), ("rdma_port", _number(row.rdma_port)), ("rdma_gid_index", _number(row.rdma_gid_index))]


# --- transfers ----------------------------------------------------------------------------------------------

TRANSFER_COLUMNS = (
    Column("TRANSFER", least=12),
    Column("FROM", least=12),
    Column("TO", least=12),
    Column("TOOL"),
    Column("GEN", right=True, drop=4),
    Column("STATE"),
    Column("SIZE", right=True),
    Column("BYTES", right=True, drop=6),
    Column("STARTED", drop=3),
    Column("TOOK", right=True, drop=2),
    Column("RATE", right=True, drop=1),
    Column("VERIFIED", drop=5),
    Column("PATH", drop=7),
)


def render_transfers(rows: Sequence[TransferRow], context: RenderContext) -> str:
    """One line for each transfer; below the table why some did not succeed."""
    look, rows = look_of(context), printable(tuple(rows), ascii_only=context.ascii)
    return _text(_transfers(rows, context, look))


def _transfers(rows: Sequence[TransferRow], context: RenderContext, look: Style) -> list[str]:
    cells = [
        [
            row.name,
            row.source,
            row.destination,
            row.tool,
            str(row.generation),
            row.state,
            "" if row.bytes is None else size_text(row.bytes),
            _number(row.bytes),
            row.started_at,
            "" if row.seconds is None else duration_text(row.seconds),
            "" if row.bytes_per_second is None else rate_text(row.bytes_per_second),
            row.verified,
            row.path_verdict,
        ]
        for row in rows
    ]
    causes = [(row.name, row.cause) for row in rows if row.cause]
    return _listing(TRANSFER_COLUMNS, cells, "transfers", context, look) + _errors(causes, look)


def render_transfer(row: TransferRow, context: RenderContext) -> str:
    """Everything of one transfer, as `field: value`."""
    look, row = look_of(context), printable(row, ascii_only=context.ascii)
    fields = [
        ("transfer", row.name),
        ("from", row.source),
        ("to", row.destination),
        ("tool", row.tool),
        ("session", row.session),
        ("generation", str(row.generation)),
        ("attempt", str(row.attempt) if row.attempt else ""),
        ("state", f"{row.state} since {row.since}" if row.since else row.state),
        ("bytes", "" if row.bytes is None else bytes_text(row.bytes)),
        ("claimed", row.claimed_at),
        ("started", row.started_at),
        ("finished", row.finished_at),
        ("took", "" if row.seconds is None else duration_text(row.seconds)),
        ("rate", "" if row.bytes_per_second is None else rate_text(row.bytes_per_second)),
        *_of_limit(row),
        ("checksum", row.checksum),
        ("verified", row.verified),
        *((("path", f"{row.path_verdict}, {row.network_path}: {row.path_evidence}"),) if row.path_verdict else ()),
        *((("servers", row.served),) if row.served else ()),
        ("cause", row.cause),
        *((("notified", row.notified),) if row.notified else ()),
        *_recorded(row),
        *((f"label {name}", value) for name, value in row.labels),
        *((f"metadata {name}", value) for name, value in row.metadata),
    ]
    return _text(_fields(fields, look))


def _recorded(row: TransferRow) -> list[tuple[str, str]]:
    """Who asked for the newest attempt, where it ran and what its tool counted; nothing of what the record does not say."""
    fields = [
        ("asked for by", row.who),
        ("commit", f"{row.commit}, with changes that are not in it" if row.commit and row.uncommitted else row.commit),
        ("engine", row.engine),
        ("image", row.image),
        ("destination image", row.destination_image),
        ("files", _number(row.files)),
        ("streams", _number(row.streams)),
        ("retransmits", _number(row.retransmits)),
        ("exit code", _number(row.exit_code)),
    ]
    return [(name, value) for name, value in fields if value]


def _of_limit(row: TransferRow) -> list[tuple[str, str]]:
    """How much of what bounds it was reached; nothing where one of both is not known."""
    if not row.bytes_per_second or row.limit_bytes_per_second is None:
        return []
    return [("reached", share_text(row.bytes_per_second, row.limit, row.limit_bytes_per_second))]


# --- endpoints ----------------------------------------------------------------------------------------------

ENDPOINT_COLUMNS = (
    Column("ENDPOINT", least=12),
    Column("STATE"),
    Column("SESSIONS", right=True),
    Column("CONTAINERS", right=True, drop=3),
    Column("ENGINE", drop=4),
    Column("LOCK", least=8, drop=1),
    Column("HOST", drop=5),
    Column("URL", least=16, drop=2),
)


def render_endpoints(rows: Sequence[EndpointRow], context: RenderContext) -> str:
    """One line for each endpoint; below the table why some are silent."""
    look, rows = look_of(context), printable(tuple(rows), ascii_only=context.ascii)
    return _text(_endpoints(rows, context, look))


def _endpoints(rows: Sequence[EndpointRow], context: RenderContext, look: Style) -> list[str]:
    cells = [
        [
            row.name,
            row.state,
            _count(row.sessions),
            _count(row.containers),
            row.engine_version,
            _lock(row),
            row.host,
            row.url,
        ]
        for row in rows
    ]
    reasons = [(row.name, row.reason) for row in rows if row.reason]
    return _listing(ENDPOINT_COLUMNS, cells, "endpoints", context, look) + _errors(reasons, look)


def render_endpoint(row: EndpointRow, context: RenderContext) -> str:
    """Everything of one endpoint, as `field: value`."""
    look, row = look_of(context), printable(row, ascii_only=context.ascii)
    fields = [
        ("endpoint", row.name),
        ("url", row.url),
        ("host", row.host),
        ("state", row.state),
        ("reason", row.reason),
        ("engine_version", row.engine_version),
        ("sessions", _count(row.sessions)),
        ("containers", _count(row.containers)),
        ("lock", _lock(row)),
        ("agent", row.agent or row.agent_reason or "none"),
    ]
    return _text(_fields(fields, look))


def _lock(row: EndpointRow) -> str:
    return row.lock or ("free" if row.state == "answered" else "?")


# --- all on one screen --------------------------------------------------------------------------------------


def render_status(
    sessions: Sequence[SessionRow],
    services: Sequence[ServiceRow],
    transfers: Sequence[TransferRow],
    endpoints: Sequence[EndpointRow],
    context: RenderContext,
) -> str:
    """A verdict line, then sessions, their services, transfers and endpoints. Kinds of which there is nothing are left out."""
    look = look_of(context)
    sessions, services = printable(tuple(sessions), ascii_only=context.ascii), printable(tuple(services), ascii_only=context.ascii)
    transfers, endpoints = printable(tuple(transfers), ascii_only=context.ascii), printable(tuple(endpoints), ascii_only=context.ascii)
    verdict = [look.paint("bold", line) for line in flow(dotted(_status_verdict(sessions, transfers, endpoints), look.dot), look.width)]
    shown = {row.reason for row in endpoints if row.reason}  # said once, of the endpoint
    sessions = tuple(replace(row, errors=_unshown(row.errors, shown)) for row in sessions)
    services = tuple(replace(row, errors=_unshown(row.errors, shown)) for row in services)
    transfers = tuple(replace(row, cause="" if row.cause in shown else row.cause) for row in transfers)
    parts = [
        _sessions(sessions, context, look) if sessions else [],
        _services(services, context, look) if services else [],
        _transfers(transfers, context, look) if transfers else [],
        _endpoints(endpoints, context, look) if endpoints else [],
    ]
    return "\n".join(_text(lines) for lines in [verdict, *parts] if lines)


def _unshown(errors: Sequence[str], shown: Collection[str]) -> tuple[str, ...]:
    """Without those that repeat why an endpoint is silent; a session's have the endpoint before them."""
    return tuple(error for error in errors if error not in shown and error.partition(": ")[2] not in shown)


def _status_verdict(sessions: Sequence[SessionRow], transfers: Sequence[TransferRow], endpoints: Sequence[EndpointRow]) -> list[str]:
    answered = sum(row.state == "answered" for row in endpoints)
    wrong = sum(len(row.errors) for row in sessions)
    counts = [
        _tally("session", [row.state for row in sessions]),
        _tally("transfer", [row.state for row in transfers]),
        f"{answered:,} of {plural(len(endpoints), 'endpoint')} answered",
    ]
    return [*counts, plural(wrong, "error")] if wrong else counts


def _tally(word: str, states: Sequence[str]) -> str:
    """`3 sessions (2 STARTED, 1 MIXED)`, most frequent first."""
    counts = sorted(Counter(states).items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{count:,} {state}" for state, count in counts)
    return f"{plural(len(states), word)} ({listed})" if listed else f"no {word}s"


def listing_text(columns: Sequence[Column], cells: Sequence[Sequence[str]], what: str, context: RenderContext) -> str:
    """A table as text, for lists that stand in other modules."""
    return _text(_listing(columns, cells, what, context, look_of(context)))


def fields_text(fields: Sequence[tuple[str, str]], context: RenderContext) -> str:
    """`field: value` lines as text."""
    return _text(_fields(fields, look_of(context)))


# --- pieces -------------------------------------------------------------------------------------------------


def _listing(columns: Sequence[Column], cells: Sequence[Sequence[str]], what: str, context: RenderContext, look: Style) -> list[str]:
    if not cells:
        return [f"No {what}."]
    return table_lines(columns, cells, look, roles=ROLES, fits=not context.show_all)


def _errors(errors: Sequence[tuple[str, str]], look: Style) -> list[str]:
    """What is wrong, each cause once, with the first of those that it concerns."""
    holders: dict[str, list[str]] = {}
    for name, text in errors:
        holders.setdefault(text, []).append(name)
    lines = []
    for text, names in holders.items():
        first, *more = flow([f"{named(list(dict.fromkeys(names)))}:", text], look.width - 2)
        lines += [look.paint("note", look.signs["note"]) + " " + first, *(f"  {line}" for line in more)]
    return lines


def _fields(fields: Sequence[tuple[str, str]], look: Style, indent: int = 0) -> list[str]:
    """`name: value` on lines of their own, never cut: they are there to be copied."""
    return [" " * indent + look.paint("dim", f"{name}:") + (f" {value}" if value else "") for name, value in fields]


def _error_fields(errors: Sequence[str]) -> list[tuple[str, str]]:
    return [("errors", error) for error in errors] or [("errors", "")]


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _count(value: int | None) -> str:
    """What is not known is not zero."""
    return "?" if value is None else str(value)


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
