"""Checksums as people write them: the algorithms, and a declared value. Parsing only, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator

Algorithm = Literal["md5", "sha256", "sha512", "adler32", "crc32c"]
AlgorithmChoice = Literal["md5", "sha256", "sha512", "adler32", "crc32c", "auto", "measured"]
DIGITS: Mapping[str, int] = {"md5": 32, "sha256": 64, "sha512": 128, "adler32": 8, "crc32c": 8}

_EXPECTED = re.compile(r"([A-Za-z0-9-]{1,20}):([0-9A-Fa-f]{1,200})")


def parse_expected(text: str) -> str:
    """`ALGORITHM:VALUE` in lower case, as FTS and Rucio write it; ValueError names the accepted form."""
    match = _EXPECTED.fullmatch(text)
    algorithm = match[1].lower() if match is not None else ""
    if match is None or algorithm not in DIGITS:
        raise ValueError(f"`{text[:60]}` is not ALGORITHM:VALUE; write the value in hexadecimal after one of {', '.join(DIGITS)}")
    if len(match[2]) != DIGITS[algorithm]:
        raise ValueError(f"a checksum by {algorithm} has {DIGITS[algorithm]} hexadecimal digits, and this one has {len(match[2])}")
    return f"{algorithm}:{match[2].lower()}"


def named_algorithm(choice: AlgorithmChoice) -> Algorithm | None:
    """The algorithm; None if it is chosen when the bytes to compare are known."""
    match choice:
        case "auto" | "measured":
            return None
        case _:
            return choice


Expected = Annotated[str, AfterValidator(parse_expected)]
