"""Keys for in-band authentication of NVMe hosts and targets (DH-HMAC-CHAP): how files name them, and what a key looks like. Pure."""

from __future__ import annotations

import base64
import re
import zlib

from pydantic import Field

from dtnctl.model.secret_fields import Secret
from dtnctl.model.secrets import SecretVariable, SecretVariables
from dtnctl.model.written import Written

_KEY = re.compile(r"DHHC-1:0[0-3]:([A-Za-z0-9+/]+={0,2}):")
LENGTHS = (32, 48, 64)  # bytes of a key
CHECKSUM = 4  # bytes of CRC-32 after it, the lowest first


class VolumeAuth(Written):
    """In-band authentication (DH-HMAC-CHAP). A key is one line as `nvme gen-dhchap-key` writes it: `DHHC-1:01:…:`."""

    host_key: Secret = Field(description="What hosts prove themselves with to the target.")
    controller_key: Secret | None = Field(None, description="What the target proves itself with to hosts. Missing: it need not.")

    @property
    def references(self) -> dict[str, str]:
        """By the name of the key, which is also that of its field in a request to an agent."""
        found = {"host_key": self.host_key, "controller_key": self.controller_key}
        return {name: secret.secret for name, secret in found.items() if secret is not None}

    def variables(self, fingerprint: str) -> SecretVariables:
        """The keys as a plan has them; `fingerprint` is of all of them, one after the other, or empty if they were not looked at."""
        prints = fingerprint.split() or [""] * len(self.references)
        return tuple(SecretVariable(name, text, found) for (name, found), text in zip(self.references.items(), prints, strict=True))


def key_mistake(text: str) -> str:
    """Why this is no key, without a word of it; empty if it is one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return "it is no key as `nvme gen-dhchap-key` writes it (DHHC-1:01:…:)"
    try:
        content = base64.b64decode(found[1], validate=True)
    except ValueError:
        return "it is no key: its middle part is not base64"
    key, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    if len(key) not in LENGTHS:
        return f"it is no key: it has {len(key)} bytes, not {', '.join(map(str, LENGTHS[:-1]))} or {LENGTHS[-1]}"
    if zlib.crc32(key).to_bytes(CHECKSUM, "little") != checksum:
        return "its checksum does not fit: a character of it is another or missing"
    return ""
