"""Gives each network that names a path its VLAN and MTU, before anything asks for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dtnctl.model.path_files import NetworkPath
from dtnctl.model.site import Document, Location, Mark, Network

FROM_PATH = ("vlan", "mtu")


def only_vlans(paths: Mapping[str, Document[NetworkPath]]) -> dict[str, int]:
    """By path, the VLAN of those that have nothing to choose from."""
    return {name: vlan for name, item in paths.items() if (vlan := item.value.only_vlan) is not None}


def over_paths(
    networks: Mapping[str, Document[Network]], paths: Mapping[str, Document[NetworkPath]], chosen: Mapping[str, int]
) -> dict[str, Document[Network]]:
    """The networks, each with what its path gives: the VLAN that is chosen for it, if one is, and its MTU.

    The place of such a field is the line that names the path. What a network writes itself stays, and validation reports it.
    """
    bound = dict(networks)
    for name, document in networks.items():
        path = paths.get(document.value.path or "")
        if path is not None:
            given = {"vlan": chosen.get(path.name), "mtu": path.value.mtu}
            bound[name] = _with(document, {key: value for key, value in given.items() if not is_written(document, key)})
    return bound


def is_written(document: Document[Network], field: str) -> bool:
    """Whether the network's own file has the field."""
    mark = document.marks.get((field,))
    return mark is not None and mark != document.marks.get(("path",))


def _with(document: Document[Network], given: Mapping[str, Any]) -> Document[Network]:
    marks: dict[Location, Mark] = {(key,): document.mark(("path",)) for key in given}
    return replace(document, value=document.value.model_copy(update=dict(given)), marks={**document.marks, **marks})
