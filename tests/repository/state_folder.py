"""A small valid site on disk, and what loading says about changes to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from dtnctl.errors import ConfigError
from dtnctl.repository.load import load_site

Changes: TypeAlias = Mapping[str, str | bytes | None]
Case: TypeAlias = tuple[str, Changes, list[str]]

NO_CHANGES: Changes = MappingProxyType({})
SITE, ENDPOINT, NETWORK = "site.yaml", "endpoints/a.yaml", "networks/data.yaml"
PROFILE, SESSION, TRANSFER = "profiles/p.yaml", "sessions/s.yaml", "transfers/t.yaml"
NOW = datetime(2026, 6, 1, tzinfo=UTC)

VALID: Mapping[str, str] = {
    "site.yaml": "name: lab\nid: a1b2c3d4e5f6\n",
    "endpoints/a.yaml": "docker: unix:///run/a.sock\nhost: a.example.net\ninterfaces: {data: eth1}\n",
    "endpoints/b.yaml": "docker: ssh://dtn@b.example.net\ninterfaces: {data: eth1}\n",
    "networks/data.yaml": "driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.1\n",
    "profiles/p.yaml": "volumes: [data:/data]\ndata_nets: [data]\n",
    "sessions/s.yaml": "endpoints: [a, b]\nimage: dtn:1\nprofile: p\n",
    "transfers/t.yaml": "from: a:/data/x\nto: b:/data/x\ntool: gridftp\nsession: s\n",
}


def more(file: str, text: str) -> Changes:
    """The valid file with lines after its own."""
    return {file: VALID[file] + text}


def own_volumes(line: str) -> Changes:
    """The valid file of the profile with this line in place of its volumes, as the third one."""
    return {PROFILE: f"init: true\ndata_nets: [data]\n{line}\n"}


def write_state(root: Path, changes: Changes = NO_CHANGES, base: Mapping[str, str] = VALID) -> Path:
    """Write the site with changes: text, bytes, or None to leave the file out. Returns the root."""
    for name, content in {**base, **changes}.items():
        if content is not None:
            path = root / "state" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def problems(root: Path, changes: Changes = NO_CHANGES, base: Mapping[str, str] = VALID) -> list[str]:
    """The lines that loading the changed site reports; none if it is valid."""
    write_state(root, changes, base)
    try:
        load_site(root, "state", NOW)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
