"""Whether a request comes from the forge: its signature or its token, compared in constant time. What it says is never read. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

GITHUB = "x-hub-signature-256"  # of Gitea and Forgejo too; "sha256=" and HMAC with SHA-256 of the body, in hex
GITLAB = "x-gitlab-token"  # the secret itself
MOST_BYTES = 25 << 20  # what GitHub sends at most


def is_signed(secret: bytes, headers: Mapping[str, str], pieces: Iterable[bytes]) -> bool:
    """Whether the body, which comes in `pieces`, or the token has the secret. Names of headers are lower-case. All pieces are taken."""
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for piece in pieces:
        digest.update(piece)
    if GITHUB in headers:
        return _equal(headers[GITHUB], f"sha256={digest.hexdigest()}".encode())
    return GITLAB in headers and _equal(headers[GITLAB], secret)


def _equal(given: str, wanted: bytes) -> bool:
    """compare_digest takes as long for each text of one length."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted)
