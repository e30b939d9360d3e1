"""The kinds of things that agents make: each is planned by being in one tuple."""

from __future__ import annotations

from dtnctl.planning.host.resource import HostResource
from dtnctl.planning.host.resources import RESOURCES


def test_every_kind_is_in_the_tuple_once() -> None:
    assert sorted(type(resource).__name__ for resource in RESOURCES) == sorted(kind.__name__ for kind in HostResource.__subclasses__())
