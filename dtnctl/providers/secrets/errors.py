"""Why a secret cannot be used."""

from __future__ import annotations


class SecretError(Exception):
    """The reason in words, without any part of a value."""
