"""Notes in a job's container are read by any later dtnctl."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.runtime.transfers.notes import read_options

OLDER = TransferOptions(2, 3, True, "follow", "size", "sha256", 1024, 2048, 4, 1.5, 60.0, 30.0)
NEWER = replace(OLDER, expected="md5:00", sync_level="size", include=("a", "b"), exclude=("c",), preserve_times=True, on_file_error="skip")
NEWER = replace(NEWER, restarts=3, pipelining=True, max_rate=1000)


@pytest.mark.parametrize("options", [TransferOptions(), OLDER, NEWER])
def test_options_are_read_as_they_were_written(options: TransferOptions) -> None:
    assert read_options(json.loads(json.dumps(asdict(options))), "gridftp") == options


def test_options_that_an_older_dtnctl_wrote_as_texts_are_read() -> None:
    texts = {name: str(value) for name, value in list(asdict(OLDER).items())[:12]}
    assert read_options(texts, "gridftp") == OLDER
    assert read_options({}, "gridftp") == TransferOptions()


@pytest.mark.parametrize("values", [{"verify": "perhaps"}, {"retries": "many"}, {"recursive": None}])
def test_options_that_are_none_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_options(values, "gridftp")
