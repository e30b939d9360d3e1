"""The committed inventory: one file for each endpoint with what was seen there, for plans where no endpoint can be reached.

A file has its age and a fingerprint of its content. What cannot be read, or was edited, is a problem like one of a state file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dtnctl.errors import ConfigError, Problem
from dtnctl.model.resources import EndpointSeen, Snapshot, Wanted
from dtnctl.model.site import Site
from dtnctl.repository.inventory_form import decode_endpoint, encode_endpoint
from dtnctl.repository.write import write_atomically

FOLDER = ".dtnctl/inventory"
FORMAT_VERSION = 1
BROKEN = "E0127"  # a file of the inventory is none, or was edited
WITHOUT = "the inventory has no file of it; `dtnctl inventory refresh` writes one"


@dataclass(frozen=True, slots=True)
class Taken:
    """One file: when it was taken, as what, and what observation was asked for beyond its lists."""

    endpoint: str
    taken_at: datetime
    fingerprint: str
    seen: EndpointSeen
    asked: Wanted = Wanted()  # noqa: RUF009  # a frozen value


@dataclass(frozen=True, slots=True)
class Inventory:
    """All files of endpoints that the site has, in name order."""

    taken: Mapping[str, Taken]

    def snapshot(self, site: Site) -> Snapshot:
        """What is known of the site's endpoints. One without a file is silent: unknown, not empty."""
        known = {name: item.seen for name, item in self.taken.items()}
        return Snapshot({name: known.get(name) or EndpointSeen(name, silence=WITHOUT) for name in sorted(site.endpoints)})


def write_inventory(root: Path, site: Site, seen: EndpointSeen, asked: Wanted, known: frozenset[str], now: datetime) -> Path:
    """Write the endpoint's file; `known` are the texts that the state files have. Returns where it is."""
    content = _content(site, seen.name, {"asked": _asked_data(asked), "seen": encode_endpoint(seen, known)})
    document = {**content, "fingerprint": _fingerprint(content), "taken_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    path = root / FOLDER / f"{seen.name}.json"
    write_atomically(path, json.dumps(document, sort_keys=True, indent=1) + "\n")
    return path


def _content(site: Site, endpoint: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "inventory",
        "site": site.name,
        "endpoint": endpoint,
        "docker": str(site.endpoints[endpoint].value.address),
        **data,
    }


def _fingerprint(content: Mapping[str, Any]) -> str:
    """Equal for two refreshes between which nothing moved."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _asked_data(asked: Wanted) -> dict[str, list[str]]:
    return {name: sorted(getattr(asked, name)) for name in ("images", "remote_images", "volumes", "readings")}


def read_inventory(root: Path, site: Site) -> Inventory:
    """Every file of an endpoint of the site; ConfigError with every one that is broken."""
    taken, problems = {}, []
    for name in sorted(site.endpoints):
        file = f"{FOLDER}/{name}.json"
        if not (root / file).exists():
            continue
        try:
            taken[name] = _read(root / file, site, name)
        except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(Problem(file, 0, 0, BROKEN, f"it is no inventory of {name}: {_reason(error)}", "`dtnctl inventory refresh`"))
    if problems:
        raise ConfigError(problems)
    return Inventory(taken)


def _read(path: Path, site: Site, name: str) -> Taken:
    document = json.loads(path.read_text(encoding="utf-8"))
    content = {key: value for key, value in document.items() if key not in ("fingerprint", "taken_at")}
    if (content["kind"], content["format_version"]) != ("inventory", FORMAT_VERSION):
        raise ValueError(f"it has another format than {FORMAT_VERSION}")
    if (content["site"], content["endpoint"]) != (site.name, name):
        raise ValueError(f"it is of {content['endpoint']} of site {content['site']}")
    if _fingerprint(content) != document["fingerprint"]:
        raise ValueError("its fingerprint does not fit: it was edited, or merged by hand")
    seen = decode_endpoint(content["seen"])
    if content["docker"] != str(site.endpoints[name].value.address):
        seen = EndpointSeen(name, silence=f"its address was {content['docker']} when the inventory was taken")
    taken_at = datetime.fromisoformat(document["taken_at"])
    if taken_at.tzinfo is None:
        raise ValueError("`taken_at` has no time zone")
    return Taken(name, taken_at.astimezone(UTC), document["fingerprint"], replace(seen, name=name), _asked(content["asked"]))


def _asked(held: Mapping[str, Any]) -> Wanted:
    images, remote, volumes, readings = (frozenset(held[key]) for key in ("images", "remote_images", "volumes", "readings"))
    return Wanted(images, remote, readings=readings, volumes=volumes)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return (
        f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if isinstance(error, (KeyError, TypeError, AttributeError))
        else str(error).splitlines()[0]
    )
