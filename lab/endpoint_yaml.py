"""The state files that describe the lab's endpoints to dtnctl."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lab.layout import Endpoint

Transport = Literal["unix", "tcp", "ssh"]
Choice = Literal["unix", "tcp", "ssh", "mixed"]
PLAIN = re.compile(r"([a-z]+://)?[\w./@:-]+")
MIXED: tuple[Transport, ...] = ("tcp", "ssh", "unix")


def transport_of(endpoint: Endpoint, choice: Choice) -> Transport:
    """The way to the endpoint's engine: the one chosen, or each in turn."""
    return MIXED[(endpoint.number - 1) % len(MIXED)] if choice == "mixed" else choice


def render_endpoint(endpoint: Endpoint, choice: Choice) -> str:
    """The endpoint's state file."""
    transport = transport_of(endpoint, choice)
    url = {"unix": endpoint.unix_url, "tcp": endpoint.tcp_url, "ssh": endpoint.ssh_url}[transport]
    lines = [f"docker: {_scalar(url)}"]
    if transport == "tcp":
        tls = endpoint.tls
        lines.append(f"tls: {{ca: {_scalar(tls.ca)}, cert: {_scalar(tls.cert)}, key: {_scalar(tls.key)}}}")
    lines += [f"host: {endpoint.control_ip}", "interfaces: {data: eth1}", "allow: {mounts: [/data]}"]
    return "\n".join(lines) + "\n"


def render_endpoints(endpoints: Sequence[Endpoint], choice: Choice) -> str:
    """All endpoints' state files as one stream of documents, each with the name of its file."""
    documents = (f"# state/endpoints/{item.name}.yaml\n{render_endpoint(item, choice)}" for item in endpoints)
    return "---\n".join(documents)


def write_endpoints(endpoints: Sequence[Endpoint], choice: Choice, state: Path) -> list[Path]:
    """Write each endpoint's file below the state folder."""
    folder = state / "endpoints"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for endpoint in endpoints:
        path = folder / f"{endpoint.name}.yaml"
        path.write_text(render_endpoint(endpoint, choice))
        written.append(path)
    return written


def _scalar(value: str | Path) -> str:
    """A YAML scalar, quoted only where a reader could take it for something else."""
    text = str(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text)
