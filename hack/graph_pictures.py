"""Writes the pictures of docs/graph.md: `python -m hack.graph_pictures`. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dtnctl.render.pictures.host import host_picture
from dtnctl.render.pictures.networks import networks_picture
from dtnctl.render.pictures.rate import Limit, rate_picture
from dtnctl.render.pictures.svg import standalone
from tests.render.pictures.maps import HOST, NETWORKS, samples

DOCS = Path(__file__).parents[1] / "docs"


def pictures() -> Mapping[Path, str]:
    """By file."""
    rate = rate_picture("sc20-1T (generation 1, try 1)", samples(), Limit("link ens1f0np0 of starlight-dtn", 12.5e9))
    return {
        DOCS / "graph-networks.svg": standalone(networks_picture(NETWORKS)),
        DOCS / "graph-host.svg": standalone(host_picture(HOST)),
        DOCS / "graph-transfer.svg": standalone(rate),
    }


def main(arguments: list[str]) -> int:
    """Write the pictures, or with `--check` report which of them are not up to date."""
    stale = [path for path, text in pictures().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" not in arguments:
        for path, text in pictures().items():
            path.write_text(text, encoding="utf-8")
        return 0
    for path in stale:
        sys.stderr.write(f"{path} is stale; run: python -m hack.graph_pictures\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
