"""A host as a picture: a panel for each NUMA node with its CPUs, cards, virtual functions and disks, and below who holds what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dtnctl.model.host_map import CardPlace, CpuPlace, DiskPlace, FunctionPlace, HostMap, NodePlace
from dtnctl.render.pictures.blocks import Block, beside, placed, stacked
from dtnctl.render.pictures.host_sessions import sessions_block
from dtnctl.render.pictures.host_words import (
    card_state,
    card_words,
    cpu_counts,
    cpu_title,
    disk_words,
    function_counts,
    function_title,
    host_description,
    node_title,
)
from dtnctl.render.pictures.keys import Key, keys_of
from dtnctl.render.pictures.svg import MARGIN, Picture, box, dot, fitted, group, text, width_of
from dtnctl.render.quantities import size_text

CELL, ROW, A_ROW = 30, 28, 16  # pixels of a CPU or virtual function, and how many stand side by side
INSIDE = CELL * A_ROW
PAD, GAP = 16, 20
PANEL = INSIDE + 2 * PAD
WIDTH = 2 * PANEL + GAP
MOST_CHIPS = 10
Keys = Mapping[str, Key]


def host_picture(host: HostMap) -> Picture:
    """The map of one endpoint's host."""
    keys = keys_of(_names(host))
    parts = [_head(host), *_panels(host, keys), sessions_block(host, keys, WIDTH)]
    whole = stacked([part for part in parts if part.height], GAP)
    title = f"Host of endpoint {host.endpoint}"
    return Picture(WIDTH + 2 * MARGIN, round(whole.height) + 2 * MARGIN, title, host_description(host), placed(whole, MARGIN, MARGIN))


def _names(host: HostMap) -> Iterator[str]:
    """Of sessions that hold anything here, those with a service first."""
    yield from (item.session for item in host.sessions)
    for node in host.nodes:
        yield from (name for cpu in node.cpus for name in cpu.sessions)
        yield from (function.session for card in node.cards for function in card.functions if function.session)


def _head(host: HostMap) -> Block:
    line = f"hardware unknown: {host.unknown}" if host.unknown else " · ".join(host.hardware)
    style = "bad" if host.unknown else "quiet"
    return Block(WIDTH, 40, text(0, 16, fitted(host.endpoint, WIDTH, 18), "title") + text(0, 36, fitted(line, WIDTH), style))


# --- a NUMA node ----------------------------------------------------------------------------------------------------


def _panels(host: HostMap, keys: Keys) -> Iterator[Block]:
    """Two in a row, as high as the higher one."""
    insides = [_inside(host, node, keys) for node in host.nodes]
    for first in range(0, len(insides), 2):
        pair = insides[first : first + 2]
        height = max(block.height for block in pair) + 2 * PAD
        yield beside([_panel(block, height) for block in pair], GAP)


def _panel(inside: Block, height: float) -> Block:
    return Block(PANEL, height, box(0, 0, PANEL, height, "panel", radius=8) + placed(inside, PAD, PAD))


def _inside(host: HostMap, node: NodePlace, keys: Keys) -> Block:
    blocks = [_node_head(host, node), *([_cpus(node.cpus, keys)] if node.cpus else [])]
    blocks += [_card(card, keys) for card in node.cards]
    blocks += [_disk(disk, keys) for disk in node.disks]
    return stacked(blocks, 12)


def _node_head(host: HostMap, node: NodePlace) -> Block:
    memory = f"{size_text(node.memory)} memory" if node.memory is not None else ""
    memory += f", {size_text(node.memory_free)} free" if node.memory_free is not None else ""
    return Block(INSIDE, 16, text(0, 13, node_title(host, node), "head") + text(INSIDE, 13, memory, "quiet", anchor="end"))


def _cpus(cpus: Sequence[CpuPlace], keys: Keys) -> Block:
    label = Block(INSIDE, 16, text(0, 11, cpu_counts(cpus), "small quiet"))
    return stacked([label, _grid([_cpu(cpu, keys) for cpu in cpus])], 4)


def _cpu(cpu: CpuPlace, keys: Keys) -> str:
    mark = dot(CELL - 7, ROW - 10, 2, "interrupts") if cpu.serves_interrupts else ""
    return _cell(str(cpu.number), cpu.sessions, "reserved" if cpu.is_reserved else "free", cpu_title(cpu), keys, mark)


def _cell(label: str, sessions: Sequence[str], otherwise: str, title: str, keys: Keys, mark: str = "") -> str:
    """A number, and the letters of who holds it: `+` after those of the first where there are several."""
    key = keys[sessions[0]] if sessions else None
    parts = [box(0.5, 0.5, CELL - 3, ROW - 4, f"fill{key.colour}" if key else otherwise, radius=3)]
    parts.append(text(4, 21, label, "tiny number"))
    if key is not None:
        letters = key.letters + "+" * (len(sessions) > 1)
        parts.append(text(CELL - 6, 11, letters, "key", anchor="end"))
    return group([*parts, mark], title)


def _grid(cells: Sequence[str]) -> Block:
    rows = -(-len(cells) // A_ROW)
    drawn = (placed(Block(CELL, ROW, cell), index % A_ROW * CELL, index // A_ROW * ROW) for index, cell in enumerate(cells))
    return Block(INSIDE, rows * ROW, "".join(drawn))


# --- cards and disks ------------------------------------------------------------------------------------------------


def _card(card: CardPlace, keys: Keys) -> Block:
    state, style = card_state(card)
    left = INSIDE - width_of(state) - 20
    lines = [
        Block(INSIDE, 18, text(0, 13, fitted(card.name, left, 13), "name") + text(INSIDE, 13, state, style, anchor="end")),
        *(Block(INSIDE, 16, text(0, 11, fitted(line, INSIDE, 11), "small quiet")) for line in card_words(card)),
    ]
    for network in card.networks:
        words = " · ".join([network.name, network.driver, *([f"VLAN {network.vlan}"] if network.vlan else [])])
        lines.append(Block(INSIDE, 20, text(0, 14, fitted(words, 260)) + _chips(network.sessions, keys, INSIDE, 2)))
    if card.functions or card.functions_most:
        lines.append(Block(INSIDE, 20, text(0, 14, function_counts(card), "small quiet")))
    grid = [_grid([_function(item, keys) for item in card.functions])] if card.functions else []
    return _framed(stacked([*lines, *grid], 2), "card" if card.is_there else "missing")


def _framed(body: Block, frame: str) -> Block:
    """With an edge around that reaches into the panel's margin, so that what is inside stands where the CPUs stand."""
    height = body.height + 12
    return Block(INSIDE, height, box(0.5 - PAD / 2, 0.5, INSIDE + PAD - 3, height - 1, frame) + placed(body, 0, 6))


def _function(function: FunctionPlace, keys: Keys) -> str:
    sessions = (function.session,) if function.session else ()
    return _cell(str(function.index), sessions, "free" if function.is_free else "other", function_title(function), keys)


def _disk(disk: DiskPlace, keys: Keys) -> Block:
    room = INSIDE - min(len(disk.sessions), MOST_CHIPS) * 24 - 40
    body = text(0, 13, fitted(disk.name, 240, 13), "name") + text(INSIDE, 13, size_text(disk.size), "quiet", anchor="end")
    body += text(0, 30, fitted(disk_words(disk), room, 11), "small quiet") + _chips(disk.sessions, keys, INSIDE, 18)
    return _framed(Block(INSIDE, 34, body), "card")


def _chips(sessions: Sequence[str], keys: Keys, right: float, y: float) -> str:
    """Letters of sessions, from the right edge; how many more there are."""
    shown, more = sessions[:MOST_CHIPS], len(sessions) - MOST_CHIPS
    parts = [text(right, y + 12, f"+{more}", "small quiet", anchor="end")] if more > 0 else []
    x = right - (30 if more > 0 else 0)
    for name in reversed(shown):
        x -= 22
        parts.append(chip(keys[name], x, y, name))
        x -= 2
    return "".join(parts)


def chip(key: Key, x: float, y: float, title: str) -> str:
    """The letters of a session in its colour."""
    parts = [box(x, y, 22, 16, f"fill{key.colour}", radius=3), text(x + 11, y + 12, key.letters, "key", anchor="middle")]
    return group(parts, title)
