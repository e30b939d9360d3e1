"""The agent as a network driver of the container engine: the engine moves the interface of a VF into the container that it is reserved for.

The engine does the moving, before the container's process starts and after each restart. Here: which interface, and in what state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.driver import DEFAULT_ROUTE_OPTION, MTU_OPTION, NETWORK_OPTIONS, PF_OPTION, VF_OPTION, HeldEndpoint, HeldNetwork
from dtn_agent.protocol.vfs import HeldVf
from dtn_agent.vf.virtual_functions import VirtualFunctions

GENERIC = "com.docker.network.generic"  # where the engine puts the options of a network
# calls that change something, as audit lines name them
CHANGES = {
    "NetworkDriver.CreateNetwork": "create-network",
    "NetworkDriver.DeleteNetwork": "delete-network",
    "NetworkDriver.CreateEndpoint": "create-endpoint",
    "NetworkDriver.DeleteEndpoint": "delete-endpoint",
    "NetworkDriver.Join": "join",
}
log = logging.getLogger(__name__)


class NetworkDriver:
    """Answers the engine's calls, each a JSON document for a JSON document. What must outlive a restart of ours is in the ledger."""

    def __init__(self, ledger: Ledger, vfs: VirtualFunctions, audit: Audit = SILENT) -> None:
        self.ledger = ledger
        self.networks = ledger.section(HeldNetwork)
        self.endpoints = ledger.section(HeldEndpoint)
        self.vfs = vfs
        self.audit = audit
        self.calls: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "Plugin.Activate": lambda _: {"Implements": ["NetworkDriver"]},
            "NetworkDriver.GetCapabilities": lambda _: {"Scope": "local", "ConnectivityScope": "local"},
            "NetworkDriver.CreateNetwork": self.create_network,
            "NetworkDriver.DeleteNetwork": self.delete_network,
            "NetworkDriver.CreateEndpoint": self.create_endpoint,
            "NetworkDriver.DeleteEndpoint": self.delete_endpoint,
            "NetworkDriver.EndpointOperInfo": self.describe_endpoint,
            "NetworkDriver.Join": self.join,
            "NetworkDriver.Leave": _nothing,  # the engine moves the interface out after this call, and deletes the endpoint after that
            "NetworkDriver.DiscoverNew": _nothing,
            "NetworkDriver.DiscoverDelete": _nothing,
            "NetworkDriver.ProgramExternalConnectivity": _nothing,
            "NetworkDriver.RevokeExternalConnectivity": _nothing,
        }

    def answer(self, method: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to one call, an error in the form that the engine expects; None if there is no such call."""
        call = self.calls.get(method)
        if call is None:
            return None
        try:
            return call(request)
        except (RefusedError, OSError, ValueError) as error:
            log.warning("%s: %s", method, error)
            if method in CHANGES:
                self.audit.refused(_audit_words(CHANGES[method], request), error)
            return {"Err": f"dtnctl: {error}"}

    def create_network(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Remember the network's options: the engine passes them only now."""
        options = _options(request)
        pf = options[PF_OPTION]
        self.vfs.hardware.tree.pf_function(pf)  # refuses what is no PF
        gateways = ("", "")
        if options.get(DEFAULT_ROUTE_OPTION, "no") == "yes":
            gateways = (_gateway(request, "IPv4Data"), _gateway(request, "IPv6Data"))
        mtu = options.get(MTU_OPTION)
        network = HeldNetwork(id=request["NetworkID"], pf=pf, mtu=int(mtu) if mtu else None, gateways=gateways)
        if self.networks.get(network.id) == network:
            return {}
        self.networks.put(network)
        self.audit.done(_audit_words("create-network", request, pf=pf, mtu=network.mtu))
        return {}

    def delete_network(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Forget the network and what is left of its endpoints."""
        with self.ledger.lock:
            networks = [network for network in self.networks.all() if network.id == request["NetworkID"]]
            endpoints = [endpoint for endpoint in self.endpoints.all() if endpoint.network == request["NetworkID"]]
            self.ledger.drop(*networks, *endpoints)
        if networks or endpoints:
            self.audit.done(_audit_words("delete-network", request))
        return {}

    def create_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Remember the endpoint's VF, which the engine passes only now; answers its MAC, unless the engine has one for it."""
        network = self._network(request)
        pci = (request.get("Options") or {}).get(VF_OPTION)
        if not pci:
            raise RefusedError("bad-request", f"the container names no virtual function (endpoint option {VF_OPTION}); run dtnctl apply")
        vf = self.vfs.held_at(pci)
        if vf.pf != network.pf:
            raise RefusedError("conflict", f"the virtual function {pci} is one of {vf.pf}, and the network is on {network.pf}")
        mac = (request.get("Interface") or {}).get("MacAddress", "")
        _check_mac(vf, mac)
        endpoint = HeldEndpoint(id=request["EndpointID"], network=network.id, vf=pci)
        if self.endpoints.get(endpoint.id) != endpoint:
            self.endpoints.put(endpoint)
            self.audit.done(_audit_words("create-endpoint", request, vf=pci))
        own = _own_mac(vf)
        return {"Interface": {"MacAddress": own}} if own and not mac else {"Interface": {}}

    def delete_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Forget the endpoint. The interface that came back from its container gets its own name again."""
        found = self.endpoints.get(request["EndpointID"])
        if found is None:
            return {}
        self.endpoints.drop(found.id)
        self.audit.done(_audit_words("delete-endpoint", request, vf=found.vf))
        asked = _audit_words("take-back", request, vf=found.vf)
        try:
            if self.vfs.take_back(found.vf):
                self.audit.done(asked, "came back from its container")
        except (RefusedError, OSError) as error:  # the container is gone all the same; the next start and the next boot try again
            log.warning("%s does not have its own name and settings again yet: %s", found.vf, error)
            self.audit.refused(asked, error)
        return {}

    def describe_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Value": {VF_OPTION: self._endpoint(request).vf}}

    def join(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Give the engine the VF's interface, set up as the ledger says."""
        network = self._network(request)
        endpoint = self._endpoint(request)
        link = self.vfs.lend(endpoint.vf, network.mtu)
        self._forget_others(endpoint)
        self.audit.done(_audit_words("join", request, vf=endpoint.vf, mtu=network.mtu), f"{link.name} goes into the container")
        ipv4, ipv6 = network.gateways
        routes = {name: value for name, value in (("Gateway", ipv4), ("GatewayIPv6", ipv6)) if value}
        # without DisableGatewayService the engine would add an interface on a bridge of its own to containers without a gateway
        return {"InterfaceName": {"SrcName": link.name, "DstPrefix": "eth"}, "DisableGatewayService": True, **routes}

    def _forget_others(self, endpoint: HeldEndpoint) -> None:
        """Other endpoints of this VF have lost it, as its interface was on the host; an engine that was killed does not report that."""
        with self.ledger.lock:
            self.ledger.drop(*(other for other in self.endpoints.all() if other.vf == endpoint.vf and other.id != endpoint.id))

    def _network(self, request: Mapping[str, Any]) -> HeldNetwork:
        found = self.networks.get(request["NetworkID"])
        if found is None:
            number = request["NetworkID"][:12]
            raise RefusedError("not-found", f"the agent does not know the network {number}; remove it and run dtnctl apply")
        return found

    def _endpoint(self, request: Mapping[str, Any]) -> HeldEndpoint:
        found = self.endpoints.get(request["EndpointID"])
        if found is None:
            number = request["EndpointID"][:12]
            raise RefusedError("not-found", f"the agent does not know the endpoint {number}; stop the container and start it again")
        return found


def _audit_words(do: str, request: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A call of the engine in the words of an audit line."""
    ids = {"network": request.get("NetworkID"), "endpoint": request.get("EndpointID"), **more}
    return {"do": do, **{name: value for name, value in ids.items() if value}}


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _options(request: Mapping[str, Any]) -> dict[str, str]:
    """The network's options, checked."""
    options: dict[str, str] = (request.get("Options") or {}).get(GENERIC) or {}
    if unknown := sorted(set(options) - set(NETWORK_OPTIONS)):
        raise RefusedError("bad-request", f"unknown network option {', '.join(unknown)}; there are {', '.join(NETWORK_OPTIONS)}")
    if not options.get(PF_OPTION):
        raise RefusedError("bad-request", f"the network names no physical function: option {PF_OPTION}")
    if options.get(DEFAULT_ROUTE_OPTION, "no") not in ("yes", "no"):
        raise RefusedError("bad-request", f"option {DEFAULT_ROUTE_OPTION}: yes or no")
    if not options.get(MTU_OPTION, "1500").isdecimal():
        raise RefusedError("bad-request", f"option {MTU_OPTION}: a number")
    return options


def _gateway(request: Mapping[str, Any], family: str) -> str:
    """The first gateway of the network, without its prefix length."""
    pools = request.get(family) or ()
    return next((pool["Gateway"].partition("/")[0] for pool in pools if pool.get("Gateway")), "")


def _own_mac(vf: HeldVf) -> str:
    return vf.wanted.mac or (vf.interface.mac if vf.interface else "")


def _check_mac(vf: HeldVf, mac: str) -> None:
    """A card lets a VF have no MAC but the one in its PF's table, unless it trusts it."""
    if mac and mac.lower() != _own_mac(vf) and vf.wanted.mac and not vf.wanted.trust:
        text = f"the container wants the MAC {mac}, and its virtual function {vf.pci} has {vf.wanted.mac}; omit the container's"
        raise RefusedError("conflict", text)
