"""A stand-in for a Portainer: its API as far as dtnctl asks it, and its Docker proxy with the traps of CE 2.23."""

from tests.fakes.portainer.server import KEY, StandIn
from tests.fakes.portainer.state import Environment, State, User

__all__ = ["KEY", "Environment", "StandIn", "State", "User"]
