"""Fields of a transfer that dtnctl passes on and never interprets: free pairs for people and programs."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import AfterValidator

from dtnctl.model.written import AS_WRITTEN

MOST_CHARACTERS = 8192  # of all pairs of one field as JSON: both are in each record, which has at most 64 KiB
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name of a pair; write letters, digits and . _ / -, at most 63, a letter or digit first")
    return value


def _check_size(value: dict[str, str]) -> dict[str, str]:
    size = len(json.dumps(value))
    if size > MOST_CHARACTERS:
        raise ValueError(f"these are {size} characters as JSON, and {MOST_CHARACTERS} may be kept")
    return value


FreePairs = Annotated[dict[Annotated[str, AfterValidator(_check_name)], Annotated[str, AS_WRITTEN]], AfterValidator(_check_size)]
Passed = tuple[tuple[str, str], ...]  # such pairs as plans and records carry them, in the order of names
