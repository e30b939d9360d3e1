"""What a picture of networks says in words: labels, and the description for people who do not see it."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.model.network_map import NetworkMap, NetworkPlace, PathPlace
from dtnctl.printable import plural
from dtnctl.render.pictures.fold import Folded, Group, Links, Row
from dtnctl.render.quantities import link_speed_text

KILO = 1000


def row_name(row: Row) -> str:
    """`dtn1`, or `dtn1 … dtn9`, or how many others there are."""
    if row.is_rest:
        return f"{len(row.names):,} others"
    return row.names[0] if len(row.names) == 1 else f"{row.names[0]} … {row.names[-1]}"


def row_words(row: Row) -> str:
    """The second line of an endpoint: what is wrong comes first."""
    words = [f"{len(row.names):,} alike"] * (len(row.names) > 1 and not row.is_rest)
    if row.unknown:
        words.append(_silent("unknown", row.unknown, row))
    if row.agents:
        words.append(_silent("agent silent" if len(row.agents) == 1 else "agents silent", row.agents, row))
    if len(row.unknown) < len(row.names):
        words.append(plural(row.sessions, "session"))
    return " · ".join(words)


def _silent(word: str, reasons: Sequence[str], row: Row) -> str:
    """With the reason where it is that of all endpoints of the row, else how many they are."""
    is_shared = len(reasons) == len(row.names) and len(set(reasons)) == 1
    return f"{word}: {reasons[0]}" if is_shared else f"{len(reasons):,} {word}"


def network_lines(network: NetworkPlace) -> tuple[str, ...]:
    """What stands below its name."""
    driver = network.driver if network.driver != network.name else "of the host"
    return tuple(
        line
        for line in (
            f"{driver}{f' · VLAN {network.vlan}' if network.vlan else ''}",
            *network.subnets,
            f"MTU {network.mtu}" if network.mtu else "",
            f"path {network.path}" if network.path else "",
        )
        if line
    )


def path_lines(path: PathPlace) -> tuple[str, ...]:
    """The same of a path."""
    return tuple(
        line
        for line in (
            f"{path.state}{f' · VLAN {path.vlan}' if path.vlan else ''}",
            f"{bandwidth_text(path.bandwidth)} promised" if path.bandwidth else "no promised rate",
            f"MTU {path.mtu}" if path.mtu else "",
            f"and {plural(len(path.others), 'other end')}" if path.others else "",
        )
        if line
    )


def bandwidth_text(kilobits: int) -> str:
    """As links are called."""
    return link_speed_text(round(kilobits / KILO)) if kilobits >= KILO else f"{kilobits} kb/s"


def link_words(links: Links) -> tuple[str, str]:
    """The interface, and what is known of its link; empty where that is nothing, or not the same for all endpoints of a row."""
    counts = ((links.down, "down"), (links.missing, "missing"), (links.unknown, "unknown"))
    found = [(count, word) for count, word in counts if count]
    if not found:
        return links.interface, link_speed_text(links.speed) if links.speed else ""
    (first, word), *others = found
    if first == links.count:
        return links.interface, f"link {word}" if word == "unknown" else word
    return links.interface, ", ".join((f"{first:,} of {links.count:,} {word}", *(f"{count:,} {word}" for count, word in others)))


def group_name(group: Group) -> str:
    """`climate`, or how many there are and the first of them."""
    return group.names[0] if len(group.names) == 1 else f"{plural(len(group.names), 'session')}: {', '.join(group.names)}"


def group_rows(group: Group, rows: Sequence[Row]) -> str:
    return ", ".join(row_name(rows[index]) for index in group.rows)


def networks_description(whole: NetworkMap, drawn: Folded) -> str:
    """All that the picture shows."""
    counts = (
        (len(whole.endpoints), "endpoint"),
        (len(whole.networks), "network"),
        (len(whole.paths), "path"),
        (len(whole.sessions), "session"),
    )
    sentences = [f"Site {whole.site}: {', '.join(plural(count, word) for count, word in counts)}"]
    sentences += [f"Endpoint {row_name(row)}: {row_words(row)}" for row in drawn.rows if row.unknown or row.agents or len(row.names) > 1]
    for network in drawn.networks:
        members = [_member(row, item) for row in drawn.rows for item in row.links if item.network == network.name]
        sentences.append(f"Network {network.name} ({', '.join(network_lines(network))}): {', '.join(members) or 'no endpoint'}")
    sentences += [f"Path {path.name} ({', '.join(path_lines(path))}): {', '.join((*path.endpoints, *path.others))}" for path in drawn.paths]
    sentences += [_group_words(group, drawn) for group in drawn.groups]
    sentences += left_out(drawn)
    return ". ".join(sentences) + "."


def _member(row: Row, links: Links) -> str:
    interface, link = link_words(links)
    return f"{row_name(row)}{f' by {interface}' if interface else ''}{f' {link}' if link else ''}"


def _group_words(group: Group, drawn: Folded) -> str:
    noun = "Session " if len(group.names) == 1 else ""
    over = f" over {', '.join(group.networks)}" if group.networks else ""
    return f"{noun}{group_name(group)} ({group.state}) on {group_rows(group, drawn.rows)}{over}"


def left_out(drawn: Folded) -> list[str]:
    """What the picture only counts."""
    counts = ((drawn.more_networks, "network"), (drawn.more_paths, "path"), (drawn.more_sessions, "session"))
    return [f"{plural(count, f'further {word}')} {'is' if count == 1 else 'are'} not drawn" for count, word in counts if count]
