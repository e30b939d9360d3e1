"""Fingerprints of secrets: equal for equal values of one site, and of no use to somebody who wants the value.

With the site's `fingerprint_key` it is an HMAC. Without one it is scrypt, so that each guess costs its time and memory; that does
not save a value that is easy to guess, so short ones are refused.
"""

from __future__ import annotations

import hashlib
import hmac

SHORTEST = 16  # characters of a value without a key, and of a key
LENGTH = 16  # bytes
COST, BLOCK = 2**14, 8  # 16 MiB and some 50 ms for each guess


def keyed_fingerprint(value: str, salt: str, key: str) -> str:
    """`k1:` and 32 hexadecimal digits."""
    digest = hmac.new(key.encode(), f"{salt}\0{value}".encode(), hashlib.sha256)
    return f"k1:{digest.digest()[:LENGTH].hex()}"


def slow_fingerprint(value: str, salt: str) -> str:
    """`s1:` and 32 hexadecimal digits."""
    return f"s1:{hashlib.scrypt(value.encode(), salt=salt.encode(), n=COST, r=BLOCK, p=1, maxmem=2**26, dklen=LENGTH).hex()}"
