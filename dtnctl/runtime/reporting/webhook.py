"""Posts a review to an address of the user's own: a chat, a dashboard, another forge."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from dtnctl.render.review import Review
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import Calls, patiently

FORMAT_VERSION = 1
SIGNATURE = "X-Dtnctl-Signature-256"


def review_document(review: Review, pull_request: int, commit: str) -> dict[str, Any]:
    """What is posted; docs/review.md lists its keys."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "review",
        "site": review.site,
        "plan_hash": review.comment.plan_hash,
        "verdict": review.verdict,
        "pull_request": pull_request or None,
        "commit": commit,
        "statuses": [{"name": status.name, "state": status.state, "text": status.text} for status in review.statuses],
        "markdown": review.comment.body,
    }


def post_review(address: str, document: dict[str, Any], secret: str, clock: Clock) -> None:
    """It was accepted, or ReportError. With a secret the body is signed as GitHub signs its own webhooks: HMAC with SHA-256, in hex."""
    body = json.dumps(document, sort_keys=True).encode()
    calls = Calls(address, signature_headers(secret, body), clock)
    patiently(lambda: calls.send("POST", "", body, {"Content-Type": "application/json"}, reads=False), clock)


def signature_headers(secret: str, body: bytes) -> dict[str, str]:
    """The signature of what is posted; none without a secret."""
    return {SIGNATURE: f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"} if secret else {}
