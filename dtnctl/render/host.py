"""A host as its agent reports it: one screen of what makes it a DTN. What is unknown shows as `-`, what there is none of as nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.host_details import (
    GID_COLUMNS,
    IDLE_COLUMNS,
    QUEUE_COLUMNS,
    SYSCTL_COLUMNS,
    gid_rows,
    idle_rows,
    queue_rows,
    sysctl_rows,
)
from dtnctl.render.host_rows import (
    disk_row,
    export_row,
    interface_row,
    is_of_a_container,
    node_row,
    on_off,
    rdma_rows,
    unknown_or,
    vf_rows,
    volume_row,
)
from dtnctl.render.quantities import duration_text, size_text
from dtnctl.render.text import Role, Style, dotted, flow, look_of, plural, printable, printable_text

if TYPE_CHECKING:
    from dtn_agent.protocol import Facts, Held, Host

NODE_COLUMNS = (
    Column("NODE"),
    Column("CPUS", least=8),
    Column("MEMORY", right=True),
    Column("FREE", right=True, drop=2),
    Column("DISTANCE", drop=3),
    Column("HUGE PAGES", drop=1),
)
INTERFACE_COLUMNS = (
    Column("INTERFACE", least=12),
    Column("NODE"),
    Column("STATE"),
    Column("SPEED", right=True),
    Column("DRIVER", drop=2),
    Column("MTU", right=True),
    Column("PCI", drop=1),
    Column("ADDRESSES", least=16, drop=3),
    Column("ON", drop=4),
    Column("PCIE", drop=5),
    Column("QDISC", drop=6),
    Column("VFS", drop=7),
    Column("IRQ CPUS", drop=10, least=8),
    Column("MAC", drop=8),
    Column("FIRMWARE", drop=11),
    Column("ALIAS", drop=9),
)
VF_COLUMNS = (
    Column("PF", least=8),
    Column("VF", right=True),
    Column("PCI"),
    Column("INTERFACE", drop=3),
    Column("MAC", drop=2),
    Column("VLAN", drop=1),
    Column("TRUST", drop=5),
    Column("SPOOFCHK", drop=6),
    Column("RATE", drop=4),
    Column("RDMA", drop=7),
    Column("DRIVER", drop=8),
    Column("HOLDER", least=12),
)
RDMA_COLUMNS = (
    Column("RDMA", least=8),
    Column("UVERBS"),
    Column("INTERFACE"),
    Column("PORT", right=True, drop=4),
    Column("STATE"),
    Column("RATE", right=True, drop=2),
    Column("LAYER", drop=5),
    Column("GIDS", drop=1),
    Column("PCI", drop=3),
)
DISK_COLUMNS = (
    Column("DISK", least=8),
    Column("NODE"),
    Column("SIZE", right=True),
    Column("MODEL", least=8, drop=4),
    Column("BY", drop=3),
    Column("SCHEDULER", drop=2),
    Column("PCIE", drop=5),
    Column("HOLDERS", drop=6),
    Column("MOUNTS", least=12, drop=1),
)
VOLUME_COLUMNS = (
    Column("VOLUME", least=8),
    Column("SITE", drop=3),
    Column("HERE"),
    Column("STATE"),
    Column("TARGET", least=12),
    Column("BY", drop=4),
    Column("DEVICE", drop=1),
    Column("MOUNT", least=12, drop=2),
)
ROLES: dict[str, Role] = {
    "up": "create",
    "free": "create",
    "ACTIVE": "create",
    "no carrier": "destroy",
    "DOWN": "destroy",
    "gone": "destroy",
}


def render_host(host: Host, context: RenderContext) -> str:
    """Everything of the host that fits the width; `show_all` leaves no column and no interface out, and has further tables."""
    look, facts = look_of(context), host.facts
    shown = [item for item in facts.interfaces if context.show_all or not is_of_a_container(item)]
    hidden = len(facts.interfaces) - len(shown)
    sections = [
        _head(host, context, look),
        _table(NODE_COLUMNS, [node_row(node) for node in facts.cpus.numa], context, look),
        [*_table(INTERFACE_COLUMNS, [interface_row(item) for item in shown], context, look), *_hidden(hidden, look)],
        _table(VF_COLUMNS, [row for item in facts.interfaces for row in vf_rows(item)], context, look),
        _table(RDMA_COLUMNS, [row for device in facts.rdma for row in rdma_rows(device)], context, look),
        _table(DISK_COLUMNS, [disk_row(disk) for disk in facts.block_devices], context, look),
        _table(VOLUME_COLUMNS, [*map(export_row, host.held.exports), *map(volume_row, host.held.volumes)], context, look),
        *(_details(facts, context, look) if context.show_all else ()),
        _foot(host, context, look),
    ]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in sections if lines)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], context: RenderContext, look: Style) -> list[str]:
    if not rows:
        return []
    shown = printable(tuple(tuple(row) for row in rows), ascii_only=context.ascii)
    # a column that may leave does so when nothing is known for it
    empty = [column.drop and all(row[index] in ("", "-") for row in shown) for index, column in enumerate(columns)]
    cells = [["" if empty[index] and not context.show_all else text for index, text in enumerate(row)] for row in shown]
    return table_lines(columns, cells, look, roles=ROLES, fits=not context.show_all)


def _details(facts: Facts, context: RenderContext, look: Style) -> Iterator[list[str]]:
    yield _table(QUEUE_COLUMNS, queue_rows(facts), context, look)
    yield _table(GID_COLUMNS, gid_rows(facts), context, look)
    yield _table(IDLE_COLUMNS, idle_rows(facts), context, look)
    yield _table(SYSCTL_COLUMNS, sysctl_rows(facts), context, look)


def _hidden(count: int, look: Style) -> list[str]:
    return [f"{look.signs['kept']} {plural(count, 'interface')} of containers (--all lists them)"] if count else []


# --- above the tables -----------------------------------------------------------------------------------------------


def _head(host: Host, context: RenderContext, look: Style) -> list[str]:
    system = host.facts.system
    return [
        *_field("host", [system.hostname, system.virtualization, f"up {duration_text(system.uptime)}"], context, look),
        *_field("kernel", [f"{system.kernel} {system.machine}", f"agent {host.agent}"], context, look),
        *_field("cpus", _cpus(host.facts), context, look),
        *_field("memory", _memory(host.facts), context, look),
        *_field("settings", _settings(host.facts), context, look),
    ]


def _cpus(facts: Facts) -> list[str]:
    cpus = facts.cpus
    counts = [("socket", cpus.sockets), ("core", cpus.cores), ("CPU", cpus.logical)]
    return [
        unknown_or(cpus.model),
        *(plural(count, word) if count is not None else f"- {word}s" for word, count in counts),
        f"SMT {on_off(cpus.smt)}",
        f"turbo {on_off(cpus.turbo)}",
        f"governor {', '.join(cpus.governors) or '-'}",
        *([f"isolated {cpus.isolated}"] if cpus.isolated else []),
    ]


def _memory(facts: Facts) -> list[str]:
    return [size_text(facts.memory.total), f"{size_text(facts.memory.available)} available"]


def _settings(facts: Facts) -> list[str]:
    system = facts.system
    return [
        f"IOMMU {unknown_or(system.iommu)}",
        f"irqbalance {on_off(system.irqbalance)}",
        f"clock {_clock(system.clock_synchronized)}",
        f"huge pages {unknown_or(system.huge_pages)}",
        f"ASPM {unknown_or(system.aspm)}",
        f"RDMA namespaces {unknown_or(system.rdma_netns)}",
    ]


def _clock(is_synchronized: bool | None) -> str:
    return "-" if is_synchronized is None else "synchronized" if is_synchronized else "not synchronized"


# --- below the tables -----------------------------------------------------------------------------------------------


def _foot(host: Host, context: RenderContext, look: Style) -> list[str]:
    lacks = [f"{ability.name}: {ability.lacks}" for ability in host.abilities if ability.lacks]
    return [
        *_field("listeners", _listeners(host.facts), context, look),
        *_field("held", _held(host.held), context, look),
        *(line for lack in lacks for line in _field("lacks", [lack], context, look)),
    ]


def _listeners(facts: Facts) -> list[str]:
    counts = Counter(item.protocol for item in facts.listeners)
    inside = sum(bool(item.container) for item in facts.listeners)
    return [f"{counts['tcp']:,} tcp", f"{counts['udp']:,} udp", *([f"{inside:,} of them in containers"] if inside else [])]


def _held(held: Held) -> list[str]:
    """What the agent changed and will restore."""
    counts = [("PF", held.pfs), ("VF", held.vfs), ("VLAN", held.vlans), ("setting", held.tuning), ("shaped interface", held.qos)]
    counts += [("exported volume", held.exports), ("connected volume", held.volumes)]
    return [plural(len(items), word) for word, items in counts if items] or ["nothing"]


def _field(name: str, items: Sequence[str], context: RenderContext, look: Style) -> list[str]:
    """`name: item · item`, broken where the line ends; items that are empty are left out."""
    shown = [printable_text(item, ascii_only=context.ascii) for item in items if item]
    first, *more = flow(dotted(shown, look.dot), look.width - len(name) - 2)
    indent = " " * (len(name) + 2)
    return [f"{look.paint('dim', f'{name}:')} {first}", *(indent + line for line in more)]
