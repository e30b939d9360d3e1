"""The folders below the root, a row each: what they hold, and what must be asked to know it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from dtnctl.cli.shell import sessions
from dtnctl.cli.shell.seen import Seen
from dtnctl.cli.shell.services import declared_fields
from dtnctl.cli.shell.tree import Entry, Folder, Node, Parts, grown
from dtnctl.model.report import TransferRow
from dtnctl.model.secret_words import without_hidden
from dtnctl.model.tools import TOOLS
from dtnctl.planning.choices.volume_rows import volume_rows
from dtnctl.planning.paths.report import path_rows
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.report import endpoint_rows, transfer_rows

Asks = Literal["nothing", "endpoints", "paths"]
NUMBER_CELLS = 8  # of a transfer's number, as the talk's client has it


@dataclass(frozen=True, slots=True)
class Kind:
    """`asks`: whether files say all of it, or endpoints are asked, or providers of paths too. `grow` makes its folder."""

    asks: Asks
    grow: Callable[[Seen], Folder]


def transfers(seen: Seen) -> Folder:
    """Declared transfers, by number."""
    rows = transfer_rows(seen.site, seen.snapshot, seen.now)
    entries = [Entry(row.name, _transfer(row), seen.transfers.by_name.get(row.name, 0), transfer_line(seen, row)) for row in rows]
    return Folder(tuple(sorted(entries, key=lambda entry: (entry.number, entry.name))))


def transfer_line(seen: Seen, row: TransferRow) -> str:
    """`1:      (dtn1 -> dtn2 [gridftp])  run14, running`."""
    source, destination = (end.partition(":")[0] for end in (row.source, row.destination))
    number = f"{seen.transfers.called(row.name)}:"
    return f"{number:<{NUMBER_CELLS}}({source} -> {destination} [{row.tool}])  {row.name}, {row.state}"


def _transfer(row: TransferRow) -> Node:
    fields = {key: dict(value) if key in ("labels", "metadata") else value for key, value in asdict(row).items()}
    return grown({key: value for key, value in fields.items() if value not in ("", None, {})})


def endpoints(seen: Seen) -> Folder:
    """Endpoints with what they answer, what their files say, and with an agent what it reports of the host."""
    entries = []
    for row in endpoint_rows(seen.site, seen.snapshot):
        host = seen.snapshot.endpoints[row.name].host
        fields = {**without_hidden(asdict(row)), "request": _declared(seen.site.endpoints[row.name])}
        reported = {} if host is None else {"host_facts": without_hidden(host.facts.model_dump(mode="json"))}
        entries.append(Entry(row.name, grown({**fields, **reported})))
    return Folder(tuple(entries))


def volumes(seen: Seen) -> Folder:
    """Volumes over NVMe-oF; below each its ends."""
    ends: dict[str, list[Mapping[str, Any]]] = {}
    for row in volume_rows(seen.site, seen.snapshot, seen.now):
        ends.setdefault(row.name, []).append({**asdict(row), "name": row.endpoint or row.role})
    return _named({name: {"ends": rows} for name, rows in ends.items()}, seen.site.volumes)


def paths(seen: Seen) -> Folder:
    """Paths between sites, as their providers report them."""
    rows = path_rows(with_chosen_vlans(seen.site, seen.snapshot), seen.snapshot)
    return _named({row.name: asdict(row) for row in rows}, seen.site.paths)


def networks(seen: Seen) -> Folder:
    """Networks as declared."""
    return _named({}, seen.site.networks)


def profiles(seen: Seen) -> Folder:
    """Profiles as declared."""
    return _named({}, seen.site.profiles)


def tools(seen: Seen) -> Folder:
    """Tools of transfers, built in and declared."""
    own = {name: {"moves": tool.moves, "ports": tool.ports, "programs": tool.programs} for name, tool in TOOLS.items()}
    return _named(own, seen.site.tools)


def _named(rows: Mapping[str, Mapping[str, Any]], documents: Mapping[str, Any]) -> Folder:
    """By name, what is seen of each and what its file says."""
    names = sorted({*rows, *documents})
    return Folder(tuple(Entry(name, grown({**rows.get(name, {}), **_request(documents.get(name), name in rows)})) for name in names))


def _request(document: Any, is_seen: bool) -> Mapping[str, Any]:
    """The file's fields: the whole entry where nothing else is known of it, else a folder beside that."""
    if document is None:
        return {}
    return {"request": _declared(document)} if is_seen else _declared(document)


def _declared(document: Any) -> Mapping[str, Any]:
    return {"file": document.file, **declared_fields(document.value)}


KINDS: Mapping[str, Kind] = {
    "active": Kind("endpoints", sessions.active),
    "sessions": Kind("endpoints", sessions.by_name),
    "transfers": Kind("endpoints", transfers),
    "endpoints": Kind("endpoints", endpoints),
    "volumes": Kind("endpoints", volumes),
    "paths": Kind("paths", paths),
    "networks": Kind("nothing", networks),
    "profiles": Kind("nothing", profiles),
    "tools": Kind("nothing", tools),
}


def asks(parts: Parts) -> Asks:
    """What must be asked to list the path."""
    return KINDS[parts[0]].asks if parts and parts[0] in KINDS else "nothing"


def tree(seen: Seen, parts: Parts) -> Folder:
    """The tree as far as the path needs it: of other kinds the names only."""
    grow = {parts[0]: KINDS[parts[0]].grow(seen)} if parts and parts[0] in KINDS else {}
    return Folder(tuple(Entry(name, grow.get(name, Folder())) for name in KINDS))
