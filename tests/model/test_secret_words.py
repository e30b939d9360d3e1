"""Secrets at places that are not for them are left out of what is shown, by the names that they have there."""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.model.secret_words import is_hidden, shown_options, shown_value, without_hidden


@pytest.mark.parametrize(
    "way",
    [
        ("env", "A"),
        ("settings", "environment"),
        ("x", "API_TOKEN"),
        ("pass",),
        ("command",),
        ("Arguments",),
        ("health_check", "test"),
        (3, "key"),
    ],
)
def test_environments_command_lines_and_what_is_named_as_a_secret_are_hidden(way: tuple[object, ...]) -> None:
    assert is_hidden(way)


@pytest.mark.parametrize("way", [(), ("memory",), ("ctrl_port_range", 0), ("passive",), ("volumes",), ("bypass",)])
def test_other_fields_are_shown(way: tuple[object, ...]) -> None:
    assert not is_hidden(way)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        ([1, 2], "[1, 2]"),
        ([{"driver_opts": {"o": "user=u,password=xyzzy"}}], "[{driver_opts: {o: user=u,password=…}}]"),
        ({"a": [{"token": "xyzzy"}]}, "{a: [{token: (not shown)}]}"),
        (["run", "--token", "xyzzy"], "(not shown)"),
        ([["-p", "xyzzy"], "x"], "[(not shown), x]"),
        ("https://ann:xy@zzy@example.net/x?access_token=xyzzy", "https://…@example.net/x?access_token=…"),
        ("Password=xy zzy,ro", "Password=…,ro"),
        ("size=1m,mode=700", "size=1m,mode=700"),
    ],
)  # fmt: skip
def test_a_value_is_shown_without_what_it_names_as_secret_however_deep(value: Any, shown: str) -> None:
    assert shown_value(value) == shown


def test_options_of_a_volume_s_driver_that_are_named_as_secrets_are_not_shown() -> None:
    assert shown_options({"password": "xyzzy", "sshcmd": "u@h:/x", "o": "user=u,pass=xyzzy"}) == {
        "password": "…",
        "sshcmd": "u@h:/x",
        "o": "user=u,pass=…",
    }


def test_a_value_keeps_its_form_without_what_it_names_as_secret() -> None:
    value = [{"size": 1, "driver_opts": {"o": "user=u,password=xyzzy", "token": "xyzzy"}}]
    assert without_hidden(value) == [{"size": 1, "driver_opts": {"o": "user=u,password=…", "token": "(not shown)"}}]
