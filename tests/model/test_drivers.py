"""The table of network drivers: complete, and the only place that knows drivers by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import dtnctl
from dtnctl.model.drivers import BUILT_IN, DRIVERS, OTHER_DRIVER, DriverName, ModeName, modes_text
from dtnctl.model.resources import NetworkSpec

PRODUCT = Path(dtnctl.__file__).parent
# Who may say a driver's or a mode's name: its row, what people may write instead, the engine's own words, those of compose and Janus,
# and the list of what an inventory keeps, for an interface has a field `sriov`.
MAY_NAME = (
    *("model/drivers.py", "model/other_words.py", "repository/converting/", "repository/inventory_form.py"),
    "planning/audit/carriers.py",  # kinds of links, as the kernel calls them
    *("providers/docker/", "providers/podman/", "providers/kubernetes/networks.py"),  # into the backend's own words
)
NAMES = {*get_args(DriverName), *get_args(ModeName)}


def _names(tree: ast.AST) -> Iterator[str]:
    """Every driver or mode that is named by itself: to compare with it, to look it up, to list it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield f"{node.lineno}: {node.value!r}"


def test_every_driver_has_a_row_and_every_mode_is_one_of_a_driver() -> None:
    assert set(DRIVERS) == set(get_args(DriverName))
    assert {mode.name for row in DRIVERS.values() for mode in row.modes} == set(get_args(ModeName))


def test_no_other_file_names_a_driver() -> None:
    files = {path.relative_to(PRODUCT).as_posix(): path for path in sorted(PRODUCT.rglob("*.py"))}
    found = [
        f"{name}:{place}"
        for name, path in files.items()
        if not name.startswith(MAY_NAME)
        for place in _names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize("text", ['if network.driver == "macvlan": pass', 'x = ("sriov",)', 'x = {"ipvlan": 1}', 'x["bridge"]'])
def test_rule_sees_a_driver_that_is_named(text: str) -> None:
    assert len(list(_names(ast.parse(text)))) == 1


@pytest.mark.parametrize(("driver", "mode", "found"), [("macvlan", None, "bridge"), ("ipvlan", "l3", "l3"), ("bridge", None, None)])
def test_mode_is_the_declared_one_else_the_first(driver: str, mode: str | None, found: str | None) -> None:
    row = DRIVERS[driver].mode(mode)
    assert (row.name if row is not None else None) == found


@pytest.mark.parametrize(
    ("driver", "mode", "whole"),
    [("macvlan", None, False), ("macvlan", "passthru", True), ("host-device", None, True), ("sriov", None, False)],
)
def test_interface_is_given_whole_by_a_mode_or_by_a_driver(driver: str, mode: str | None, whole: bool) -> None:
    assert DRIVERS[driver].gives_all(mode) is whole


def test_field_is_described_by_the_rows() -> None:
    assert modes_text() == "macvlan: `bridge` (default) or `passthru`; ipvlan: `l2` (default) or `l3`"


def test_built_in_networks_and_drivers_of_other_programs_give_nothing_that_dtnctl_could_ask_for() -> None:
    assert [name for name, row in BUILT_IN.items() if row.publishes] == ["bridge"]
    assert NetworkSpec("weave").driver_row is OTHER_DRIVER
    assert [OTHER_DRIVER.needs_agent, OTHER_DRIVER.needs_interface, OTHER_DRIVER.is_inside_host] == [False] * 3
