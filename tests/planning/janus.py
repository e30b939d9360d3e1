"""What the acceptance scenarios share."""

from __future__ import annotations

from dtnctl.model.actions import CreateContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSpec


def created(made: Plan, container: str, endpoint: str = "a") -> ContainerSpec:
    """The container that the plan creates."""
    found = (step.action for step in made.steps if step.endpoint == endpoint and isinstance(step.action, CreateContainer))
    return next(action.spec for action in found if action.container == container)


MACVLAN = """
    # networks/net3001
    driver: macvlan
    vlan: 3001
    mtu: 9000
    subnet: 10.33.1.0/24
    gateway: 10.33.1.1
    default_route: false
    # profiles/data
    data_nets: [net3001]
    # sessions/one
    endpoints: [a, b]
    image: dtn:1
    profile: data
"""
