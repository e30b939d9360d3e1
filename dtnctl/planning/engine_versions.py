"""Engines that are older than dtnctl works with: what they show and do may be something else than was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import Site
from dtnctl.model.versions import version_of


def old_engine_notes(site: Site, answering: Mapping[str, EndpointSeen]) -> Iterator[str]:
    """A sentence for each engine that answers and is too old; none for one whose version cannot be read."""
    for name, seen in sorted(answering.items()):
        row, version = site.endpoints[name].value.backend(seen.backend), version_of(seen.engine_version)
        if any(version) and version < row.oldest:
            oldest = ".".join(map(str, row.oldest))
            yield (
                f"{name} runs {row.name} {seen.engine_version}, and dtnctl works with {oldest} or newer: "
                "what it shows and does may differ from what this plan says"
            )
