"""A site whose two endpoints are joined by a path of a provider, what that provider has, and what was planned of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dtnctl.model.paths import PathProviderSeen, PathSeen, PathSpec, PathState
from dtnctl.model.plan import Plan
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope, make_plan
from tests.planning.building import NOW, site, world
from tests.properties.world import World

PORTS = ("urn:ogf:network:x.example.net:2026:one", "urn:ogf:network:x.example.net:2026:two")
PROVIDER = "path_providers:\n  anagram: {kind: nsi, url: 'https://nsi.example.net', options: {requester: r, aggregator: g}}\n"
SITE = f"# site\nname: lab\nlimits: {{max_prune: 100%}}\n{PROVIDER}"
WAN = "# networks/wan\ndriver: macvlan\npath: a2b\nsubnet: 10.9.0.0/24\n"
SESSION = "# sessions/one\nendpoints: [a, b]\nimage: dtn:1\nsettings: {data_nets: [wan], mgmt_net: null}\n"
ENDS = f"ends:\n  - {{endpoint: a, port: '{PORTS[0]}'}}\n  - {{endpoint: b, port: '{PORTS[1]}'}}\n"
ASKED = f"# paths/a2b\nprovider: anagram\n{ENDS}vlan: 1790\nbandwidth: 10gbit\n"
STATIC = "# paths/a2b\nends:\n  - {endpoint: a}\n  - {endpoint: b}\nvlan: 1790\nmtu: 9000\n"
RANGE = ASKED.replace("1790", "1780-1782")
SPEC = PathSpec("a2b", "anagram", ("a", "b"), PORTS, 1790, 10_000_000)


def declared(*texts: str, path: str = ASKED, settings: str = SITE, session: str = SESSION, network: str = WAN) -> Site:
    return site(settings + network + path + session + "".join(texts))


def seen(state: PathState = "active", *, words: str = "", path_id: str = "c1", **fields: Any) -> PathSeen:
    """The path at its provider, as it was asked for but for these fields."""
    return PathSeen(path_id, state, replace(SPEC, **fields), words)


def provider(*paths: PathSeen, **fields: Any) -> Mapping[str, PathProviderSeen]:
    return {"anagram": PathProviderSeen("anagram", paths=paths, **fields)}


def look(found: World, paths: Mapping[str, PathProviderSeen], **endpoints: EndpointSeen) -> Snapshot:
    snapshot = found.observe()
    return replace(snapshot, endpoints={**snapshot.endpoints, **endpoints}, paths=paths)


def planned(text: Site, found: World | Snapshot, *paths: PathSeen, **scope: Any) -> Plan:
    """The plan where the provider answers with these paths."""
    snapshot = look(found, provider(*paths)) if isinstance(found, World) else found
    return make_plan(text, snapshot, now=NOW, scope=Scope(**scope))


def running(text: Site, **options: Any) -> World:
    """Endpoints on which all that is declared runs, over a path that is active."""
    made = world(text, **options)
    first = planned(text, made, seen())
    assert not first.blocked, first.blocked
    made.apply(first)
    assert planned(text, made, seen()).is_empty
    return made


def left(text: Site, found: World | Snapshot, *paths: PathSeen, **scope: Any) -> tuple[str, str, str]:
    """Code, reason and what to do about the path, which is blocked."""
    (change,) = [item for item in planned(text, found, *paths, **scope).blocked if item.kind == "path"]
    return change.code, change.cause.text, change.fix
