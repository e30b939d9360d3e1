"""Sessions in the tree: `active` as the talk's client numbers them, `sessions` by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dtnctl.cli.shell.seen import Seen
from dtnctl.cli.shell.services import ServiceSeen, allocations, declared_fields, service_folder
from dtnctl.cli.shell.tree import Entry, Field, Folder, grown
from dtnctl.model.report import ServiceRow, SessionRow
from dtnctl.model.resources import service_name
from dtnctl.planning.report import service_rows, session_rows
from dtnctl.planning.resolve import resolve_services

STATE_CELLS = 16  # of the number and the state, as the talk's client has it
Services = Mapping[str, Sequence[ServiceSeen]]


def active(seen: Seen) -> Folder:
    """Every session, by number: those that are declared, and those that still live."""
    services = _services(seen)
    rows = session_rows(seen.site, seen.snapshot, seen.now)
    entries = [
        Entry(row.name, _folder(seen, row, services.get(row.name, ())), seen.sessions.by_name.get(row.name, 0), session_line(seen, row))
        for row in rows
    ]
    return Folder(tuple(sorted(entries, key=lambda entry: (entry.number, entry.name))))


def by_name(seen: Seen) -> Folder:
    """The same by name."""
    return Folder(tuple(Entry(item.name, item.node) for item in sorted(active(seen).entries, key=lambda entry: entry.name)))


def session_line(seen: Seen, row: SessionRow) -> str:
    """`8: STARTED     (['dtn1', 'dtn2'], dtn:1)  climate`, and what differs from it in the file."""
    number = seen.sessions.called(row.name)
    line = f"{f'{number}: {row.state}':<{STATE_CELLS}}({list(row.endpoints)}, {row.image})  {row.name}"
    document = seen.site.sessions.get(row.name)
    if document is None:
        return f"{line}, not declared any more"
    wanted = document.value.state
    return line if row.state in (wanted.upper(), "UNKNOWN") else f"{line}, declared {wanted}"


def _services(seen: Seen) -> Services:
    wanted = {(item.endpoint.name, item.session.name, item.container): item for item in resolve_services(seen.site, seen.now)}
    found: dict[str, list[ServiceSeen]] = {}
    for row in service_rows(seen.site, seen.snapshot, seen.now):
        endpoint = seen.snapshot.endpoints[row.endpoint]
        live = next((item for item in endpoint.containers if item.name == row.container_name), None)
        service = ServiceSeen(row, wanted.get((row.endpoint, row.session, row.container_name)), live)
        found.setdefault(row.session, []).append(service)
    return found


def _folder(seen: Seen, row: SessionRow, services: Sequence[ServiceSeen]) -> Folder:
    document = seen.site.sessions.get(row.name)
    request = {} if document is None else {"file": document.file, **declared_fields(document.value)}
    return Folder(
        (
            Entry("uid", Field(service_name(seen.site.name, row.name))),
            Entry("user", Field(seen.author(row.name))),
            Entry("state", Field(row.state)),
            Entry("allocations", Folder(tuple(Entry(_name(item.row), allocations(item.row, item.live)) for item in services))),
            Entry("services", Folder(tuple(Entry(_name(item.row), service_folder(seen, item)) for item in services))),
            Entry("request", grown(request)),
            Entry("name", Field(row.name)),
            Entry("image", Field(row.image)),
            Entry("profile", Field(row.profile)),
            Entry("errors", grown(row.errors)),
        )
    )


def _name(row: ServiceRow) -> str:
    """The endpoint; with what a replacement left there beside its own container."""
    return row.endpoint + "".join(row.container_name.partition("..")[1:])
