"""A bare HTTP client that writes down what an engine answers, with everything that differs from run to run taken out."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import socket
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT_SECONDS = 30.0
STAT_HEADER = "X-Docker-Container-Path-Stat"
VOLATILE = frozenset(
    {"Created", "CreatedAt", "FinishedAt", "GraphDriver", "LastTagTime", "Pid", "SandboxKey", "Size", "StartedAt", "VirtualSize"}
)
"""Fields of which only the kind of value is compared."""

GO_DIRECTORY = 1 << 31


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(self._path)


@dataclass(slots=True)
class Engine:
    """An engine behind a unix socket; `answers` is what it said, in order, in normal form."""

    path: str
    answers: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, target: str, body: Any = None, **query: Any) -> Any:
        """Call without writing down; returns the JSON value, or the text, or None."""
        return self._call(method, target, body, query)[1]

    def control(self, method: str, action: str, body: Any = None) -> Any:
        """Call /_fake/`action` of an in-memory engine."""
        return self._send(method, f"/_fake/{action}", body)[1]

    def say(self, method: str, target: str, body: Any = None, **query: Any) -> Any:
        """Call and write down status and body (of a container's archive, the stat header)."""
        status, value, stat = self._call(method, target, body, query)
        call = f"{method} {target}" + (f"?{urlencode(query)}" if query else "")
        self.answers.append({"call": normal(call), "status": status, "answer": normal(_without_size(stat) or value)})
        return value

    def look(self, name: str, *parts: str) -> None:
        """Inspect a container and write down these parts of it ("State", "HostConfig.Memory", …; all without any)."""
        status, value, _ = self._call("GET", f"/containers/{name}/json", None, {})
        shown = {part: _part(value, part) for part in parts} if parts and status == 200 else value
        self.answers.append({"call": f"inspect {name}", "status": status, "answer": normal(shown)})

    def look_in_list(self, name: str, *parts: str) -> None:
        """The same for the container's entry in the list."""
        entries = self.ask("GET", "/containers/json", all=1, filters=json.dumps({"name": [f"^/{name}$"]}))
        shown = [{part: _part(entry, part) for part in parts} if parts else entry for entry in entries]
        self.answers.append({"call": f"list {name}", "status": 200, "answer": normal(shown)})

    def _call(self, method: str, target: str, body: Any, query: Mapping[str, Any]) -> tuple[int, Any, str]:
        return self._send(method, f"/v1.41{target}" + (f"?{urlencode(query, quote_via=quote)}" if query else ""), body)

    def _send(self, method: str, address: str, body: Any) -> tuple[int, Any, str]:
        connection = _Connection(self.path)
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, address, data, {"Content-Type": kind})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return response.status, _value(content), response.headers.get(STAT_HEADER, "")


def _value(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("latin-1") or None


def _part(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name, "<absent>")
    return value


def _without_size(stat: str) -> Any:
    """The stat header's facts; a folder's size is the file system's own affair."""
    if not stat:
        return None
    facts = json.loads(base64.b64decode(stat))
    if facts["mode"] & GO_DIRECTORY:
        facts["size"] = 0
    return facts


def normal(value: Any, key: str = "") -> Any:
    """`value` with ids, times and places replaced, and lists that have no order sorted."""
    if key in VOLATILE:
        return f"<{type(value).__name__}>"
    if isinstance(value, dict):
        # By the old name: two ids as keys would become one.
        return {normal(name): normal(value[name], name) for name in sorted(value)}
    if isinstance(value, list):
        shown = [normal(inner) for inner in value]
        return sorted(shown, key=json.dumps) if key in ("Mounts", "Ports", "Volumes", "NetworksDeleted", "VolumesDeleted") else shown
    return _normal_text(value) if isinstance(value, str) else value


def _normal_text(text: str) -> str:
    text = re.sub(r"[0-9a-f]{64}", "<id>", text)
    text = re.sub(r"(?<=endpoints: ).*", lambda names: ", ".join(sorted(names[0].split(", "))), text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "<short id>", text)
    text = re.sub(r"\b[1-9]\d{3}-\d\d-\d\dT[\d:.]+Z?", "<time>", text)
    text = re.sub(r"^(Up|Exited \(\d+\)) (Less than a second|\d+ seconds?)( ago)?", r"\1 <age>", text)
    return re.sub(r"[^ ]*/(?=(containers|volumes|image)/(<id>|[\w.-]+/_data|overlay2))", "<root>/", text)


def tar(contents: Mapping[str, bytes]) -> bytes:
    """A tar; names that end in "/" are folders."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.rstrip("/"))
            if name.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            else:
                member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
