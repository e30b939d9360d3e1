"""A crash shows where it happened, and no secret that the program had looked up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.client.crash import Crash, without_secrets
from dtnctl.errors import EngineError
from dtnctl.providers.secrets.source import SecretSource

CANARY = "canary-0123456789abcdef"


def looked_up() -> SecretSource:
    source = SecretSource(Path(), {"TOKEN": CANARY})
    source.look_up("env:TOKEN")
    return source


def crash(text: str) -> None:
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(f"cannot be parsed: {text}") from error


def test_a_traceback_with_a_secret_is_shown_without_it_causes_included() -> None:
    with pytest.raises(Crash) as caught, without_secrets(looked_up()):
        crash(CANARY)
    text = str(caught.value)
    assert CANARY not in text
    assert "KeyError: '(secret)'" in text
    assert "ValueError: cannot be parsed: (secret)" in text
    assert "in crash\n" in text
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [ValueError("no secret in it"), EngineError("the engine refuses")])
def test_every_other_error_goes_on_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, without_secrets(looked_up()):
        raise error
    assert caught.value is error
