"""Which requests at the webhook count as the forge's."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from dtnctl.pulling.webhooks import is_signed

SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
# GitHub's own example (docs.github.com, "Validating webhook deliveries")
EXAMPLE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_githubs_own_example_is_accepted() -> None:
    assert is_signed(SECRET, {"x-hub-signature-256": EXAMPLE}, [BODY])
    assert is_signed(SECRET, {"x-hub-signature-256": EXAMPLE}, [BODY[:4], BODY[4:]])


def test_gitlabs_token_is_accepted() -> None:
    assert is_signed(b"token", {"x-gitlab-token": "token"}, [BODY])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": EXAMPLE[7:]},
        {"x-hub-signature-256": EXAMPLE.upper()},
        {"x-hub-signature-256": EXAMPLE[:-1] + "é"},
        {"x-hub-signature": "sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": "It's a Secret"},
        {"x-hub-signature-256": "sha256=0", "x-gitlab-token": SECRET.decode()},
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    assert not is_signed(SECRET, headers, [BODY])


def test_signature_of_another_body_is_refused() -> None:
    assert not is_signed(SECRET, {"x-hub-signature-256": EXAMPLE}, [BODY, b"!"])


def test_body_is_read_to_its_end_also_without_a_signature() -> None:
    pieces = iter([b"a", b"b"])
    assert not is_signed(SECRET, {}, pieces)
    assert next(pieces, None) is None
