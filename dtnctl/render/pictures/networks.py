"""The networks between endpoints as a picture: a row for each endpoint, a vertical line for each network, path and session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dtnctl.model.network_map import NetworkMap
from dtnctl.render.pictures.blocks import Block, placed, stacked
from dtnctl.render.pictures.fold import Folded, Group, Links, Row, folded
from dtnctl.render.pictures.keys import letters_of
from dtnctl.render.pictures.network_words import (
    group_name,
    group_rows,
    left_out,
    link_words,
    network_lines,
    networks_description,
    path_lines,
    row_name,
    row_words,
)
from dtnctl.render.pictures.style import COLOURS, NEUTRAL
from dtnctl.render.pictures.svg import MARGIN, Picture, box, dot, fitted, group, line, text, width_of

ENDPOINT, COLUMN, SESSION = 240, 168, 34  # pixels of an endpoint's box, and of the columns of networks and of sessions
ROW, HEAD, BUS = 48, 112, 16  # of a row, of the heads of the columns, and where the line stands in its column
LEAST = 780
TABLE_ROW = 22
SESSIONS = "Sessions"  # the head of their columns, which is wider than one of them


@dataclass(frozen=True, slots=True)
class Column:
    """A vertical line through rows: `x` is where it stands. `style` is the class of its line, `colour` the number of its colour."""

    x: float
    rows: tuple[int, ...]
    style: str
    colour: int
    is_hollow: bool = False


def networks_picture(whole: NetworkMap) -> Picture:
    """The map of all networks of a site, folded to what can be looked at."""
    drawn = folded(whole)
    columns = len(drawn.networks) + len(drawn.paths)
    sessions = ENDPOINT + COLUMN * columns + 24
    width = max(LEAST, round(sessions + max(SESSION * len(drawn.groups), width_of(SESSIONS, 13) if drawn.groups else 0)))
    colours = {network.name: index % COLOURS for index, network in enumerate(drawn.networks)}
    parts = [
        Block(width, 28, text(0, 18, fitted(f"Networks of site {whole.site}", width, 18), "title")),
        _wiring(drawn, colours, sessions, width),
        _table(drawn, colours, width),
    ]
    whole_block = stacked([part for part in parts if part.height], 20)
    return Picture(
        width + 2 * MARGIN,
        round(whole_block.height) + 2 * MARGIN,
        f"Networks of site {whole.site}",
        networks_description(whole, drawn),
        placed(whole_block, MARGIN, MARGIN),
    )


# --- rows and columns -----------------------------------------------------------------------------------------------


def _wiring(drawn: Folded, colours: Mapping[str, int], sessions: float, width: float) -> Block:
    heads = [*_network_heads(drawn, colours), *_path_heads(drawn), *_session_heads(drawn, colours, sessions)]
    columns = [*_network_columns(drawn, colours), *_path_columns(drawn), *_session_columns(drawn, colours, sessions)]
    last = [max((column.x for column in columns if index in column.rows), default=ENDPOINT) for index in range(len(drawn.rows))]
    body = [*heads, *(_row_box(row, index) for index, row in enumerate(drawn.rows))]
    body += [line(ENDPOINT, _middle(index), x, _middle(index), "grid") for index, x in enumerate(last) if x > ENDPOINT]
    body += [_column(column) for column in columns]
    body += [_interface(drawn, index, item) for index, row in enumerate(drawn.rows) for item in row.links]
    return Block(width, HEAD + ROW * len(drawn.rows), "\n".join(part for part in body if part))


def _middle(row: int) -> float:
    return HEAD + ROW * row + ROW / 2


def _row_box(row: Row, index: int) -> str:
    y = HEAD + ROW * index + 4
    frame = "missing" if len(row.unknown) == len(row.names) else "card"
    style = "bad" if row.unknown or row.agents else "quiet"
    parts = [box(0.5, y, ENDPOINT - 1, ROW - 8, frame), text(12, y + 17, fitted(row_name(row), ENDPOINT - 24, 13), "name")]
    parts.append(text(12, y + 33, fitted(row_words(row), ENDPOINT - 24, 11), f"small {style}"))
    return group(parts, f"{', '.join(row.names)}: {row_words(row)}")


def _column(column: Column) -> str:
    """The line from its first row to its last, and a dot on each of its rows."""
    if not column.rows:
        return ""
    style = f"{column.style} line{column.colour}"
    parts = [line(column.x, _middle(column.rows[0]), column.x, _middle(column.rows[-1]), style)]
    filled = f"unknown line{column.colour}" if column.is_hollow else f"ink{column.colour}"
    parts += [dot(column.x, _middle(index), 5, filled) for index in column.rows]
    return "".join(parts)


def _head(x: float, name: str, lines: Sequence[str], colour: int) -> str:
    parts = [text(x, 14, fitted(name, COLUMN - 16, 13), f"name ink{colour}")]
    parts += [text(x, 31 + 15 * index, fitted(item, COLUMN - 12, 11), "small quiet") for index, item in enumerate(lines[:5])]
    return group(parts, f"{name}: {', '.join(lines)}")


# --- networks -------------------------------------------------------------------------------------------------------


def _network_heads(drawn: Folded, colours: Mapping[str, int]) -> Iterator[str]:
    for index, network in enumerate(drawn.networks):
        yield _head(ENDPOINT + COLUMN * index + BUS, network.name, network_lines(network), colours[network.name])


def _network_columns(drawn: Folded, colours: Mapping[str, int]) -> Iterator[Column]:
    for index, network in enumerate(drawn.networks):
        rows = tuple(number for number, row in enumerate(drawn.rows) if any(item.network == network.name for item in row.links))
        yield Column(ENDPOINT + COLUMN * index + BUS, rows, "bus", colours[network.name])


def _interface(drawn: Folded, index: int, links: Links) -> str:
    """The name of the interface beside its dot; a ring instead of the dot where it is down, missing or unknown."""
    number = next((place for place, network in enumerate(drawn.networks) if network.name == links.network), None)
    if number is None:
        return ""
    x, y = ENDPOINT + COLUMN * number + BUS, _middle(index)
    interface, link = link_words(links)
    is_bad = bool(links.down or links.missing)
    parts = [text(x + 10, y - 5, fitted(interface, COLUMN - 30, 11), "small")] if interface else []
    parts += [text(x + 10, y + 14, fitted(link, COLUMN - 30, 10), f"tiny {'bad' if is_bad else 'quiet'}")] if link else []
    parts += [dot(x, y, 5, "down" if is_bad else "unseen")] if is_bad or links.unknown else []
    words = " ".join(word for word in (interface, link) if word)
    return group(parts, f"{row_name(drawn.rows[index])}, {links.network}: {words}") if parts else ""


# --- paths ----------------------------------------------------------------------------------------------------------


def _path_heads(drawn: Folded) -> Iterator[str]:
    for index, path in enumerate(drawn.paths, start=len(drawn.networks)):
        yield _head(ENDPOINT + COLUMN * index + BUS, path.name, path_lines(path), NEUTRAL)


def _path_columns(drawn: Folded) -> Iterator[Column]:
    for index, path in enumerate(drawn.paths, start=len(drawn.networks)):
        rows = tuple(sorted({drawn.row_of(name) for name in path.endpoints}))
        yield Column(ENDPOINT + COLUMN * index + BUS, rows, "way", NEUTRAL)


# --- sessions -------------------------------------------------------------------------------------------------------


def _colour(item: Group, colours: Mapping[str, int]) -> int:
    """That of the first of its networks that is drawn, if one is."""
    return next((colours[name] for name in item.networks if name in colours), NEUTRAL)


def _session_heads(drawn: Folded, colours: Mapping[str, int], start: float) -> Iterator[str]:
    if drawn.groups:
        yield text(start, 14, SESSIONS, "name")
    for index, item in enumerate(drawn.groups):
        yield _chip(index, item, colours, start + SESSION * index, HEAD - 26)


def _session_columns(drawn: Folded, colours: Mapping[str, int], start: float) -> Iterator[Column]:
    for index, item in enumerate(drawn.groups):
        yield Column(start + SESSION * index + 12, item.rows, "span", _colour(item, colours), item.state != "STARTED")


def _chip(index: int, item: Group, colours: Mapping[str, int], x: float, y: float) -> str:
    colour = _colour(item, colours)
    letters = text(x + 12, y + 12, letters_of(index), "key", anchor="middle")
    return group([box(x, y, 24, 16, f"fill{colour}", radius=3), letters], f"{group_name(item)}: {item.state}")


def _table(drawn: Folded, colours: Mapping[str, int], width: float) -> Block:
    """What the letters stand for."""
    rows = [_table_row(drawn, index, item, colours, width) for index, item in enumerate(drawn.groups)]
    rows += [Block(width, TABLE_ROW, text(0, 15, f"{words}.", "quiet")) for words in left_out(drawn)]
    if drawn.groups:
        rows.insert(0, _columns(width, "small quiet", ("sessions", "state", "networks", "endpoints")))
    return stacked([stacked(rows), _signs(width)], 10)


def _table_row(drawn: Folded, index: int, item: Group, colours: Mapping[str, int], width: float) -> Block:
    values = (group_name(item), item.state, ", ".join(item.networks), group_rows(item, drawn.rows))
    cells = _columns(width, "", values)
    return Block(width, TABLE_ROW, _chip(index, item, colours, 0, 3) + cells.body)


def _columns(width: float, style: str, values: Sequence[str]) -> Block:
    rest = width - 36 - 110
    rooms = (rest * 0.4, 110, rest * 0.25, rest * 0.35)
    x, parts = 36.0, []
    for room, value in zip(rooms, values, strict=True):
        parts.append(text(x, 15, fitted(value, room - 12, 11 if style else 12), style))
        x += room
    return Block(width, TABLE_ROW, "".join(parts))


def _signs(width: float) -> Block:
    """What lines and dots mean: those of links, then those of sessions."""
    links = (
        (line(0, 11, 24, 11, "bus line0"), "network"),
        (line(0, 11, 24, 11, f"way line{NEUTRAL}"), "path"),
        (dot(12, 11, 5, "down"), "interface down or missing"),
        (dot(12, 11, 5, "unseen"), "link unknown"),
    )
    sessions = (
        (dot(12, 11, 5, "ink0"), "session started"),
        (dot(12, 11, 5, "unknown line0"), "session not started, or not everywhere"),
    )
    return stacked([_sign_row(row, width) for row in (links, sessions)])


def _sign_row(drawn: Sequence[tuple[str, str]], width: float) -> Block:
    x, parts = 0.0, []
    for sign, words in drawn:
        parts.append(placed(Block(24, TABLE_ROW, sign + text(32, 15, words, "small quiet")), x, 0))
        x += 32 + width_of(words, 11) + 16
    return Block(width, TABLE_ROW, "".join(parts))
