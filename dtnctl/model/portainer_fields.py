"""`portainer:` of an endpoint: the key that Portainer knows us by, and what it is sent beside requests. No I/O, no look-up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dtnctl.model.engine_addresses import SCHEMES, EngineAddress, Scheme
from dtnctl.model.resources import Pairs
from dtnctl.model.secret_fields import Secret
from dtnctl.model.written import Written

TEAM_LABEL = "io.portainer.accesscontrol.teams"
HeaderText = Annotated[str, Field(pattern=r"^[!-~]+$")]
TeamName = Annotated[str, Field(pattern=r"^[^,\s]([^,\x00-\x1f\x7f]*[^,\s])?$")]


class Portainer(Written):
    """How a Portainer is asked. Paths are relative to the repository's root, or absolute."""

    key: Secret = Field(description="An access token (API key) of an administrator.")
    ca: str | None = Field(
        None, description="CA certificate (PEM) that signed Portainer's, or its own. Missing: those that this machine trusts."
    )
    team: TeamName | None = Field(
        None, description="Team of Portainer whose members see and use what dtnctl makes. Missing: administrators alone."
    )
    node: HeaderText | None = Field(None, description="Node that is meant, where the environment is the agents of a Swarm.")

    @property
    def labels(self) -> Pairs:
        """What says on each object whose it is, also where Portainer did not see it being made."""
        return () if self.team is None else ((TEAM_LABEL, self.team),)


def portainer_fault(address: EngineAddress, portainer: Portainer | None, *, of_cluster: bool = False) -> str:
    """What is wrong about an address and `portainer:` together; empty if nothing is."""
    scheme = SCHEMES.get(address.scheme, Scheme(""))
    in_portainer = scheme.in_portainer
    if in_portainer and portainer is None:
        return f"{address.scheme}:// needs `portainer:` with a `key:`; an access token of Portainer's, by reference"
    if portainer is not None and not in_portainer:
        return "`portainer:` belongs to portainer+https:// only"
    if portainer is not None and of_cluster and (portainer.team is not None or portainer.node is not None):
        return "`portainer: team:` and `node:` are of Docker environments; who sees what in a cluster is its own rights"
    if portainer is not None and portainer.ca is not None and scheme.is_plain:
        return "`portainer: ca:` belongs to portainer+https:// only"
    return ""
