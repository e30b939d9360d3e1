"""What Podman does not show of a container is noted with it when it is created, and read from there. Pure.

The note is an annotation and no label: whoever recreates the container with its labels does not copy it, so that drift shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
ANNOTATION = "dtnctl.asked"
# An attachment's fixed addresses are aliases of it: they are shown before the start, after the end, and of a live connection.
ALIAS = ".dtnctl"
FAMILIES = {"ip4.": "IPv4Address", "ip6.": "IPv6Address"}


def annotated(note: Json) -> dict[str, str]:
    """The annotation of a container."""
    return {ANNOTATION: json.dumps(note, sort_keys=True, separators=(",", ":"))}


def noted(annotations: Mapping[str, str] | None) -> Json:
    """What was noted; nothing for containers that others made."""
    try:
        found = json.loads((annotations or {}).get(ANNOTATION, ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def with_aliases(config: Json | None) -> dict[str, Any]:
    """The settings of an attachment, with an alias for each fixed address."""
    fixed = (config or {}).get("IPAMConfig") or {}
    names = [f"{prefix}{fixed[key].replace(':', '-')}{ALIAS}" for prefix, key in FAMILIES.items() if fixed.get(key)]
    return {**(config or {}), **({"Aliases": names} if names else {})}


def fixed_addresses(attachment: Json) -> Json | None:
    """The fixed addresses that aliases of the attachment name, in the form in which they were asked for."""
    found: dict[str, str] = {}
    for alias in attachment.get("Aliases") or ():
        key = FAMILIES.get(alias[:4])
        if key and alias.endswith(ALIAS):
            found[key] = alias[4 : -len(ALIAS)].replace("-", ":")
    return found or None
