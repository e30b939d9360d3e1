"""The stand-ins that the contract is asked of, a row each, and clients of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dtnctl.model.path_files import PathProvider
from dtnctl.model.path_kinds import PATH_KINDS, PathKind
from dtnctl.model.paths import PathOwner, PathSeen, PathSpec
from dtnctl.planning.paths.steps import making, path_steps, releasing
from dtnctl.providers.paths.base import PathAccess, PathObserver, PathService
from dtnctl.providers.paths.connect import path_observer, path_service
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts
from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Double
from tests.fakes.paths.nsi import NsiDouble
from tests.fakes.paths.oess import OessDouble
from tests.fakes.paths.oscars import OscarsDouble
from tests.fakes.paths.sense import SenseDouble

DOUBLES: Mapping[str, type[Double]] = {"nsi": NsiDouble, "oess": OessDouble, "oscars": OscarsDouble, "sense": SenseDouble}
OWNER = PathOwner("lab")
NAME = "anagram"


def access(double: Double, owner: PathOwner = OWNER, token: str = TOKEN, name: str = NAME) -> PathAccess:
    settings = PathProvider.model_validate(double.settings)
    return PathAccess(name, settings, owner, Path(), Timeouts(answer=5.0), SecretSource(environment={TOKEN_VARIABLE: token}))


def observer(double: Double, owner: PathOwner = OWNER) -> PathObserver:
    return path_observer(access(double, owner))


def service(double: Double, owner: PathOwner = OWNER) -> PathService:
    return path_service(access(double, owner))


def row(double: Double) -> PathKind:
    return PATH_KINDS[double.kind]


def spec(double: Double, **fields: object) -> PathSpec:
    """What is asked for, as far as the kind shows it."""
    shown = row(double).shows
    values = {"ends": double.ports, "vlan": 1790, "bandwidth": 10_000_000, "mtu": 9000}
    return PathSpec("a2b", NAME, ("a", "b"), **{**{name: item for name, item in values.items() if name in shown}, **fields})  # type: ignore[arg-type]


def steps_to(double: Double, wanted: PathSpec, seen: PathSeen | None, *, keep: bool) -> tuple[str, ...]:
    """Names of the verbs that are left, of a path that is to be kept or not."""
    verbs = making(row(double), seen.state if seen is not None else None) if keep else releasing(row(double), seen.state) if seen else ()
    return tuple(step.id for step in path_steps(verbs, wanted, seen, row(double)))
