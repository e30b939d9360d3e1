"""Keys of NVMe hosts and targets: what is none is refused, without a word of it."""

from __future__ import annotations

import base64
import zlib

import pytest

from dtnctl.model.nvme_keys import key_mistake


def key(content: bytes, *, kind: str = "01", checksum: int | None = None) -> str:
    """A key as nvme-cli writes it."""
    check = zlib.crc32(content) if checksum is None else checksum
    return f"DHHC-1:{kind}:{base64.b64encode(content + check.to_bytes(4, 'little')).decode()}:"


@pytest.mark.parametrize("length", [32, 48, 64])
def test_a_key_of_each_length_is_one(length: int) -> None:
    assert key_mistake(key(bytes(range(length)))) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "as `nvme gen-dhchap-key` writes it"),
        (key(bytes(32), kind="04"), "as `nvme gen-dhchap-key` writes it"),
        (f"{key(bytes(32))}\n", "as `nvme gen-dhchap-key` writes it"),
        ("DHHC-1:00:AAAAA:", "not base64"),
        (key(bytes(20)), "it has 20 bytes, not 32, 48 or 64"),
        (key(bytes(32), checksum=7), "its checksum does not fit"),
    ],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(text: str, said: str) -> None:
    mistake = key_mistake(text)
    assert said in mistake
    assert text[10:30] == "" or text[10:30] not in mistake
