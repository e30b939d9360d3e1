"""`expected: ALGORITHM:VALUE` as people write it."""

from __future__ import annotations

import pytest

from dtnctl.model.checksums import named_algorithm, parse_expected
from dtnctl.model.transfer import Transfer

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
COPY = {"from": "a:/x", "to": "b:/x", "tool": "gridftp"}


def test_it_is_kept_in_lower_case() -> None:
    assert parse_expected(f"MD5:{MD5.upper()}") == f"md5:{MD5}"
    assert parse_expected("crc32c:E3069283") == "crc32c:e3069283"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MD5, f"`{MD5}` is not ALGORITHM:VALUE; write the value in hexadecimal after one of md5, sha256, sha512, adler32, crc32c"),
        ("sha1:aa", "`sha1:aa` is not ALGORITHM:VALUE; write the value in hexadecimal after one of md5, sha256, sha512, adler32, crc32c"),
        ("adler32:12345", "a checksum by adler32 has 8 hexadecimal digits, and this one has 5"),
    ],
)
def test_anything_else_is_refused_with_the_accepted_form(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_expected(text)


def test_the_algorithm_is_the_one_of_the_expected_checksum_unless_it_is_declared() -> None:
    assert Transfer.model_validate(COPY).settings.algorithm == "measured"
    assert Transfer.model_validate({**COPY, "expected": "adler32:00000001"}).settings.algorithm == "adler32"
    assert Transfer.model_validate({**COPY, "algorithm": "sha256"}).settings.algorithm == "sha256"


def test_an_algorithm_that_is_chosen_later_has_no_name_yet() -> None:
    assert (named_algorithm("auto"), named_algorithm("measured")) == (None, None)
    assert named_algorithm("sha256") == "sha256"
