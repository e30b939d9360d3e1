"""Ports of a Janus profile: ranges in two notations, of which the newer one has lost some ranges on its way."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_profile import Profile

PORT_KEYS = (
    "ctrl_ports",
    "ctrl_port_range",
    "serv_ports",
    "serv_port_range",
    "data_ports",
    "data_port_range",
    "exposed_ports",
    "internal_port",
)
# What a profile without the key had. Sources: settings.py of both versions.
DEFAULTS = {"v0.2": {"ctrl": (30000, 30100), "serv": (60000, 60032)}, "v1.0": {"ctrl": (30000, 30200)}}
Range = tuple[int, int]


def convert_ports(profile: Profile) -> None:
    """Control and service ports are chosen from a range, data ports and exposed ones are published as they are."""
    for kind in ("ctrl", "serv"):
        found = _ranges(profile, kind)
        if found is None:
            default = DEFAULTS[profile.folder.era].get(kind)
            profile.fields[f"{kind}_port_range"] = list(default) if default else None
        else:
            profile.fields[f"{kind}_port_range"] = list(_widest(profile, kind, found)) if found else None
    data = _ranges(profile, "data")
    if data:
        profile.fields["data_port_range"] = list(data[0])
    more = (data or [])[1:]
    if more and "data_nets" in profile.fields:
        profile.conversion.dropped(profile.at("data_ports"), "data ports but the first range: with a data network they are not published")
        more = []
    exposed = [*more, *_listed(profile, profile.at("exposed_ports"))]
    if exposed:
        profile.fields["exposed_ports"] = [f"{low}-{high}" if high > low else low for low, high in exposed]
    _internal(profile)


def _ranges(profile: Profile, kind: str) -> list[Range] | None:
    """The ranges of a kind in order; None if the profile does not say."""
    old, new = f"{kind}_port_range", f"{kind}_ports"
    current, other = (old, new) if profile.folder.era == "v0.2" else (new, old)
    key = profile.current(current, other, "used its default")
    if not profile.has(key):
        return None
    item = profile.at(key)
    found = _pair(item) if key == old else None
    return [found] if found else list(_listed(profile, item))


def _pair(item: Foreign) -> Range | None:
    """`[a, b]` of the older notation."""
    value = item.value
    if isinstance(value, list) and len(value) == 2 and all(_is_port(part) for part in value) and int(value[0]) <= int(value[1]):
        return int(value[0]), int(value[1])
    return None


def _listed(profile: Profile, item: Foreign) -> Iterator[Range]:
    """`[22, [5000, 5010]]`: single ports and ranges. Two single ones far from each other were one range before a migration."""
    flat = _pair(item)
    if flat is not None and flat[1] - flat[0] > 1 and item.location[-1] != "exposed_ports":
        text = f"read as the range {flat[0]}-{flat[1]}: Janus takes it for two ports, which is what its migration makes of an older range"
        profile.conversion.changed(item, f"{text}; write `[{flat[0]}, {flat[0]}]` if one port is meant")
        yield flat
        return
    for entry in item.entries():
        pair = _pair(entry)
        if pair is not None:
            yield pair
        elif _is_port(entry.value):
            yield int(str(entry.value)), int(str(entry.value))
        else:
            profile.conversion.dropped(entry, f"`{entry.value}` is no port and no range of ports")


def _is_port(value: object) -> bool:
    return not isinstance(value, bool) and str(value).isdecimal() and 1 <= int(str(value)) <= 65535


def _widest(profile: Profile, kind: str, found: list[Range]) -> Range:
    """One range: neighbours are joined, and of several the widest one stays."""
    joined: list[Range] = []
    for low, high in sorted(found):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    best = max(joined, key=lambda item: item[1] - item[0])
    if len(joined) > 1:
        left = ", ".join(f"{low}-{high}" if high > low else str(low) for low, high in joined if (low, high) != best)
        key = next(key for key in (f"{kind}_ports", f"{kind}_port_range") if profile.has(key))
        profile.conversion.changed(profile.at(key), f"a port is chosen from one range here, {best[0]}-{best[1]}; not from {left}")
    return best


def _internal(profile: Profile) -> None:
    item = profile.at("internal_port")
    if item.value in (None, ""):
        return
    if profile.folder.era == "v1.0":
        profile.conversion.changed(item, "Janus v1.0 ignored `internal_port`: the control port maps to it")
    if _is_port(item.value):
        profile.fields["internal_port"] = int(str(item.value))
    else:
        profile.conversion.dropped(item, f"`internal_port: {item.value}` is no port")
