"""What `qos:` says, and what it is in the agent's units."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.qos import Qos, qos_values

NOTHING: dict[str, Any] = {"rate": None, "pacing": None, "delay": None, "jitter": None, "loss": None, "corrupt": None, "reorder": None}
NOTHING |= {"ports": (), "destinations": ()}


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"rate": "500mbit"}, {"rate": 500_000}),
        ({"pacing": "1.5gbit"}, {"pacing": 1_500_000}),
        ({"delay": "10ms", "jitter": "0.5ms", "reorder": "25%"}, {"delay": 10.0, "jitter": 0.5, "reorder": 25.0}),
        ({"delay": "0.0333333ms"}, {"delay": 0.033}),
        ({"loss": "1%", "corrupt": "0.05%", "ports": [8000, 443, 8000]}, {"loss": 1.0, "corrupt": 0.05, "ports": (443, 8000)}),
        (
            {"pacing": "1gbit", "destinations": ["fd00:2::/64", "10.2.0.7", "10.3.0.0/24", "10.2.0.7/32", "fd00::7/128"]},
            {"pacing": 1_000_000, "destinations": ("10.2.0.7", "10.3.0.0/24", "fd00:2::/64", "fd00::7")},
        ),
        ({"rate": "1gbit", "delay": 0, "loss": "0%"}, {"rate": 1_000_000}),
    ],
)
def test_what_is_written_is_said_in_the_agents_units(written: dict[str, Any], values: dict[str, Any]) -> None:
    assert qos_values(Qos.model_validate(written)) == {**NOTHING, **values}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "says nothing; write a rate, pacing, a delay or a loss"),
        ({"loss": "0%"}, "says nothing; write a rate, pacing, a delay or a loss"),
        ({"jitter": "1ms"}, "jitter and reordering need a `delay`"),
        ({"reorder": "1%"}, "jitter and reordering need a `delay`"),
        (
            {"rate": "1mbit", "destinations": ["10.2.0.7"]},
            "`destinations` are for pacing, delay, loss, corruption and reordering, and none of them is written",
        ),
        ({"loss": "1%", "destinations": ["0.0.0.0/0"]}, "`0.0.0.0/0` matches every address; omit it, or name networks"),
        ({"loss": "1%", "destinations": ["far"]}, "`far` is not an IP address"),
        ({"loss": "1%", "destinations": ["10.2.0.7/24"]}, "`10.2.0.7/24` is an address in a subnet; the subnet is 10.2.0.0/24"),
        ({"rate": "1mbit", "ports": [80]}, "`ports` are for delay, loss, corruption and reordering, and none of them is written"),
    ],
)
def test_what_makes_no_sense_is_refused(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Qos.model_validate(written)
    assert caught.value.errors()[0]["msg"] == f"Value error, {message}"


def test_delays_of_more_than_a_minute_are_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 60"):
        Qos.model_validate({"delay": "61s"})
