"""What engines say no with, as errors that callers can tell apart."""

from __future__ import annotations

import json

import pytest

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.providers.docker.errors import refusal


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (404, "No such container: x", NotFoundError),
        (500, "RWLayer of container b19d850050c1 is unexpectedly nil", NotFoundError),  # Docker 20.10: it is being removed
        (500, "driver failed: port is already allocated", ConflictError),
        (500, "something else", EngineError),
    ],
)
def test_a_container_that_is_being_removed_is_one_that_is_not_there(status: int, message: str, kind: type[EngineError]) -> None:
    error = refusal(status, "", json.dumps({"message": message}).encode())
    assert type(error) is kind
    assert message in str(error)
