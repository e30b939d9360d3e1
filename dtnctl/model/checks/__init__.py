"""The catalogue of `dtnctl endpoints doctor`: what is looked at, how bad a deviation is, why, and who says so. Data only.

What counts as a deviation is decided in planning/doctor; docs/doctor.md is made from this table. Ids are stable: sites name them
in `doctor:` of site.yaml, and scripts read them. The order is that of reports: what decides most comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dtnctl.model.checks.check import Check, Severity
from dtnctl.model.checks.network import NETWORK_STACK
from dtnctl.model.checks.nics import NICS, VFS
from dtnctl.model.checks.services import CONTAINER_SIDE, RDMA_SIDE
from dtnctl.model.checks.system import CPUS, DISKS
from dtnctl.model.checks.volumes import VOLUMES
from dtnctl.model.nearest import suggestion

__all__ = ["CATALOGUE", "CHECKS", "Check", "Severity", "check_id"]

CATALOGUE = (*NETWORK_STACK, *NICS, *VFS, *CONTAINER_SIDE, *RDMA_SIDE, *CPUS, *DISKS, *VOLUMES)
CHECKS: Mapping[str, Check] = MappingProxyType({check.id: check for check in CATALOGUE})


def check_id(value: str) -> str:
    """The value, if there is a check of that id."""
    if value not in CHECKS:
        raise ValueError(f"there is no check `{value}`; try {suggestion(value, CHECKS, '`dtnctl endpoints doctor --all-items`')}")
    return value
