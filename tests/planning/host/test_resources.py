"""The kinds of things that agents make: each is planned by being in one tuple."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from dtnctl.planning import host
from dtnctl.planning.host.resource import HostResource
from dtnctl.planning.host.resources import RESOURCES


def test_every_kind_is_in_the_tuple_once() -> None:
    for module in iter_modules(host.__path__):  # nothing else imports one that is forgotten
        import_module(f"{host.__name__}.{module.name}")
    assert sorted(type(resource).__name__ for resource in RESOURCES) == sorted(kind.__name__ for kind in HostResource.__subclasses__())
