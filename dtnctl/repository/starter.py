"""`dtnctl init`: a small site that validates as it is, each line explained, and the schemas that editors read."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from dtnctl.errors import UsageError
from dtnctl.model.schema import SCHEMA_KINDS, schema_of
from dtnctl.repository.write import write_atomically

SCHEMA_FOLDER = ".dtnctl/schema"
LONGEST_NAME = 40
NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})  # YAML 1.1 or 1.2 reads these as something else

_ENDPOINT = """\
# The container engine of {host}, by a login that may use it. Also: unix:///run/docker.sock with `host:`, or
# tcp://HOST:2376 with `tls: {{ca: …, cert: …, key: …}}`.
docker: ssh://root@{host}
interfaces:
  # Which interface of this host carries the network `data`.
  data: eth1
# What the owner of this host allows; a session that asks for more is refused before anything is called.
allow:
  mounts:
    - /data
"""

_FILES = {
    "state/site.yaml": """\
# Part of every object's label and name on the endpoints: two sites can share an endpoint.
name: {name}
# This repository's own: objects with another id are never touched. A copy that becomes a site of its own gets another name and id.
id: {identity}
limits:
  # At most this share of the sessions may be removed by one apply.
  max_prune: 25%
""",
    "state/endpoints/dtn1.yaml": _ENDPOINT.format(host="dtn1.example.net"),
    "state/endpoints/dtn2.yaml": _ENDPOINT.format(host="dtn2.example.net"),
    "state/networks/data.yaml": """\
# The network between the endpoints. The same name is one layer 2 and one pool of addresses.
driver: macvlan
mtu: 9000
subnet: 192.168.2.0/24
# Containers get theirs from these.
addresses: 192.168.2.64-192.168.2.95
""",
    "state/profiles/dtn.yaml": """\
# How a data transfer node runs. Sessions name a profile; `extends:` builds one on another.
volumes:
  - source: /data
    target: /data
    # rw or ro
    mode: rw
# Login name of transfers.
user: dtnaas
memory: 4GiB
# An init as process 1 stops the container at once instead of after ten seconds.
init: true
# Logins come in by the engine's own bridge, data goes over `data`.
mgmt_net: bridge
data_nets:
  - data
# One of these is chosen for sshd, and stays.
ctrl_port_range: [30000, 30200]
data_port_range: [50100, 50199]
""",
    "state/sessions/example.yaml": """\
# One service (container) on each endpoint. The file's name is the session's name.
endpoints:
  - dtn1
  - dtn2
# Built from images/dtn of dtnctl's repository; images that were made for Janus run as they are.
image: dtn:1
profile: dtn
# initialized: created, not started. started: running. stopped: kept, not running.
state: started
""",
    "state/transfers/example.yaml": """\
# A one-shot job: started once per generation, never again by itself.
from: dtn1:/data/example.dat
to: dtn2:/data/example.dat
tool: gridftp
# May be left out where one session only is on both endpoints.
session: example
# Raise it to run the transfer again.
generation: 1
# Both ends compute the checksum; only equal ones count as done.
verify: checksum
""",
}
_MODELINE = "# yaml-language-server: $schema={up}.dtnctl/schema/{kind}.json\n"


def schema_text(kind: str) -> str:
    """One JSON Schema as text."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def new_identity() -> str:
    """An id for a repository, at random. A letter comes first, so that no YAML reads it as a number."""
    return secrets.choice("abcdef") + secrets.token_hex(6)[1:]


def site_name(folder: str, identity: str) -> str:
    """The folder's name as a site's: what a name may not have becomes a dash. Without one usable character, part of the id."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")[:LONGEST_NAME].rstrip("-_")
    return name or f"site-{identity[:6]}"


def starter_files(name: str, identity: str) -> dict[str, str]:
    """The starter repository of a site of this name, by a repository of this id: file names and texts."""
    site = _FILES["state/site.yaml"].format(name=_yaml_text(name), identity=identity)
    return _described({**_FILES, "state/site.yaml": site})


def _yaml_text(name: str) -> str:
    """Quoted where YAML may read something else than text."""
    is_plain = name[0].isalpha() and name.lower() not in NO_TEXT
    return name if is_plain else f'"{name}"'


def _described(texts: Mapping[str, str]) -> dict[str, str]:
    files = {f"{SCHEMA_FOLDER}/{kind}.json": schema_text(kind) for kind in SCHEMA_KINDS}
    for name, text in texts.items():
        *_, folder, stem = name.removesuffix(".yaml").split("/")
        kind = "site" if stem == "site" else folder.removesuffix("s")
        files[name] = _MODELINE.format(up="../" * name.count("/"), kind=kind) + text
    return files


def write_starter(folder: Path, identity: str) -> list[str]:
    """Writes the starter repository and returns the names of its files. Nothing is overwritten: UsageError instead.

    The site is named after the folder.
    """
    files = starter_files(site_name(folder.resolve().name, identity), identity)
    existing = [name for name in files if (folder / name).exists()]
    if existing:
        raise UsageError(f"nothing is written, because these files exist already: {', '.join(existing)}")
    for name, text in files.items():
        write_atomically(folder / name, text)
    return list(files)


def write_schemas(folder: Path, kinds: list[str]) -> list[str]:
    """Writes the schemas of the kinds into the folder and returns the paths."""
    paths = {kind: folder / f"{kind}.json" for kind in kinds}
    for kind, path in paths.items():
        write_atomically(path, schema_text(kind))
    return [str(path) for path in paths.values()]
