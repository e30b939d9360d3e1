"""Fields of a transfer that may be written in more than one way."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dtnctl.model.transfer import Transfer

COPY = {"from": "a:/x/", "to": "b:/x/", "tool": "gridftp", "recursive": True}


@pytest.mark.parametrize(("number", "name"), list(enumerate(("exists", "size", "mtime", "checksum"))))
def test_a_sync_level_is_globus_name_or_number(number: int, name: str) -> None:
    assert {Transfer.model_validate({**COPY, "sync_level": value}).sync_level for value in (number, name)} == {name}


@pytest.mark.parametrize("value", [4, -1, True, "sizes", 1.0])
def test_any_other_sync_level_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="Input should be 'exists', 'size', 'mtime' or 'checksum'"):
        Transfer.model_validate({**COPY, "sync_level": value})


def test_patterns_are_a_list() -> None:
    assert Transfer.model_validate({**COPY, "include": ["2026/*.nc", "calib/"]}).include == ("2026/*.nc", "calib/")


@pytest.mark.parametrize("pattern", ["/data/x", "", "../x", "a//b", "./a", "a/.."])
def test_a_pattern_begins_in_the_folder_and_stays_there(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a pattern of names below the folder; write it from there on"):
        Transfer.model_validate({**COPY, "exclude": [pattern]})
