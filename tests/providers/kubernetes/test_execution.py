"""What a cluster says of a program that it could not start."""

from __future__ import annotations

import pytest

from dtnctl.errors import EngineError
from dtnctl.providers.kubernetes.execution import NOT_STARTED, not_started


@pytest.mark.parametrize(
    "words",
    [
        'exec: "sha256sum": executable file not found in $PATH: unknown',
        "executable file `sha256sum` not found in $PATH: No such file or directory",
        'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
    ],
)
def test_program_that_an_image_does_not_have_shows_by_its_exit_code(words: str) -> None:
    assert not_started(words).exit_code == NOT_STARTED


@pytest.mark.parametrize("words", ["failed to load task: no running task found: task 5f1e not found", 'container not found ("main")'])
def test_container_that_just_ended_is_no_missing_program(words: str) -> None:
    with pytest.raises(EngineError, match="not found"):
        not_started(words)
