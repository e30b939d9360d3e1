"""The types of a transfer's fields that people may write in more than one way. Parsing only, no I/O."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from dtnctl.model import transfer_options


def parse_sync_level(value: Any) -> Any:
    """The name of a level that was written as Globus's number."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return transfer_options.SYNC_LEVELS[value] if is_number and 0 <= value < len(transfer_options.SYNC_LEVELS) else value


def _check_pattern(text: str) -> str:
    parts = text.strip("/").split("/")
    if text.startswith("/") or ".." in parts or "." in parts or "" in parts:
        raise ValueError(f"`{text[:60]}` is not a pattern of names below the folder; write it from there on, such as `2026/*.nc`")
    return text


SyncLevel = Annotated[transfer_options.SyncLevel, BeforeValidator(parse_sync_level)]
Patterns = Annotated[tuple[Annotated[str, AfterValidator(_check_pattern)], ...], Field(strict=False)]
