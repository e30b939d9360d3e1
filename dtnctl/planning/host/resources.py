"""The kinds of things that an endpoint's agent makes, in the order in which their steps are planned. Pure.

Each sees the steps of those before it: an interface has its first number of virtual functions again once the last one is released, and a
volume is let go of before the VLAN goes that it is reached over.
"""

from __future__ import annotations

from dtnctl.planning.host.physical_functions import PhysicalFunctions
from dtnctl.planning.host.resource import HostResource
from dtnctl.planning.host.shaping import Shaping
from dtnctl.planning.host.tuning import HostTuning
from dtnctl.planning.host.virtual_functions import VirtualFunctions
from dtnctl.planning.host.vlans import Vlans
from dtnctl.planning.host.volumes import Volumes

RESOURCES: tuple[HostResource, ...] = (VirtualFunctions(), Shaping(), PhysicalFunctions(), Volumes(), Vlans(), HostTuning())

_PLURALS = [resource.plural for resource in RESOURCES if resource.plural]
WHAT_IT_MAKES = " and ".join([", ".join(_PLURALS[:-1]), _PLURALS[-1]])  # "…, … and …": what is unknown while an agent is silent
