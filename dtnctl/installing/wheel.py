"""Makes a wheel of an installed package: what runs here is what is installed there, also from a clone and without a build tool."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable

from dtnctl.errors import UsageError

PACKAGES = ("dtnctl", "dtn_agent")
AGENT_NEEDS = ("psutil", "pydantic")  # of what dtnctl itself needs; the rest is the extra `agent`
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel
MARKS = "Wheel-Version: 1.0\nGenerator: dtnctl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_of_ourselves() -> tuple[str, bytes]:
    """The name and content of a wheel of the running dtnctl, the agent included."""
    found = distribution("dtnctl")
    information = f"dtnctl-{found.version}.dist-info"
    content = {name: data for package in PACKAGES for name, data in _files(package, files(package))}
    content[f"{information}/METADATA"] = _text(found, "METADATA")
    content[f"{information}/entry_points.txt"] = _text(found, "entry_points.txt")
    content[f"{information}/WHEEL"] = MARKS.encode()
    return f"dtnctl-{found.version}-py3-none-any.whl", pack(content, f"{information}/RECORD")


def agent_requirements() -> tuple[str, ...]:
    """What the agent needs, as pip reads it. The SDKs of dtnctl are none of a DTN's business."""
    found = distribution("dtnctl").requires or []
    wanted = (item for item in found if "extra == " not in item and item.startswith(AGENT_NEEDS))
    extra = (item.partition(";")[0].strip() for item in found if "extra == 'agent'" in item or 'extra == "agent"' in item)
    return tuple(sorted((*wanted, *extra)))


def pack(content: Mapping[str, bytes], record: str) -> bytes:
    """The files as a wheel, with their RECORD."""
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in content.items()]
    whole = {**content, record: ("\n".join([*rows, f"{record},,"]) + "\n").encode()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in whole.items():
            member = zipfile.ZipInfo(name, LONG_AGO)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(member, data)
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _files(name: str, node: Traversable) -> Iterator[tuple[str, bytes]]:
    for child in sorted(node.iterdir(), key=lambda item: item.name):
        path = f"{name}/{child.name}"
        if child.is_dir() and child.name != "__pycache__":
            yield from _files(path, child)
        elif child.is_file():
            yield path, child.read_bytes()


def _text(found: Distribution, name: str) -> bytes:
    text = found.read_text(name)
    if text is None:
        raise UsageError(f"this installation of dtnctl has no {name}; make a wheel (pip wheel .) and name it: --wheel FILE")
    return text.encode()
