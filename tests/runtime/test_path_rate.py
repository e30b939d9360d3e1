"""Where nothing is measured, the side that keeps it from being measured is named, with its own words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from dtnctl.providers.base import Engine, Ran
from dtnctl.runtime.paths.rate import rate_all
from tests.planning.paths.test_probing import PROBE
from tests.providers.paths.converge import QuickClock

REFUSED = {"error": "error - unable to connect to server: Connection refused"}


class Side:
    """An endpoint whose containers answer each command in the same way."""

    def __init__(self, exit_code: int, stdout: str = "", stderr: str = "") -> None:
        self.ran = Ran(exit_code, stdout.encode(), stderr.encode())

    def run(self, container: str, command: Sequence[str]) -> Ran:
        del container, command
        return self.ran


def texts(near: Side, far: Side) -> list[str]:
    found = rate_all({"a": cast(Engine, near), "b": cast(Engine, far)}, [PROBE], QuickClock())
    return [f"{item.where}: {item.verdict}: {item.text}" for item in found]


def test_a_far_side_that_cannot_listen_says_why() -> None:
    far = Side(1, stderr="iperf3: error - unable to start listener for connections: Address already in use\n")
    expected = ["a → b: unknown: b: iperf3: unable to start listener for connections: Address already in use"]
    assert texts(Side(1, json.dumps(REFUSED)), far) == expected


def test_a_side_whose_image_has_no_iperf3_is_named() -> None:
    missing = Side(127, stderr="timeout: failed to run command 'iperf3': No such file or directory\n")
    assert texts(Side(1, json.dumps(REFUSED)), missing) == ["a → b: unknown: b: its image has no iperf3"]
    assert texts(missing, Side(124)) == ["a → b: unknown: a: its image has no iperf3"]
