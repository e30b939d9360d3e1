"""A service in the tree: the fields of the talk's client in its order, then those that it did not have. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dtnctl.cli.shell.seen import Seen
from dtnctl.cli.shell.tree import Entry, Field, Folder, Node, grown
from dtnctl.model.profile import ProfileFields
from dtnctl.model.report import ServiceRow
from dtnctl.model.resources import ContainerSeen, ContainerSpec
from dtnctl.model.secret_words import shown_options, shown_text, without_hidden
from dtnctl.planning.choices.virtual_functions import stable_mac
from dtnctl.planning.resolve import Service

FURTHER = ("state", "health", "container_name", "data_ipv6", "data_ports", "serv_port", "image_id")
OF_RDMA = ("rdma_device", "rdma_port", "rdma_gid_index")


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """A row, with what was asked for (None: it is not declared any more) and what lives (None: nothing does)."""

    row: ServiceRow
    wanted: Service | None
    live: ContainerSeen | None


def service_folder(seen: Seen, service: ServiceSeen) -> Folder:
    """All fields of one service."""
    row = service.row
    profile = service.wanted.profile if service.wanted is not None else None
    fields: dict[str, Node] = {
        "mgmt_net": _network(seen, _mgmt_net(row, profile, service.live)),
        "data_net": _network(seen, row.data_net_name),
        "data_net_name": Field(row.data_net_name),
        "data_ipv4": Field(row.data_ipv4),
        "data_vfmac": Field(_vf_mac(seen, row)),
        "container_user": Field(row.container_user),
        "ctrl_port": grown(row.ctrl_port),
        "ctrl_host": Field(row.ctrl_host),
        "docker_kwargs": Folder() if service.live is None else grown(container_fields(service.live.spec)),
        "image": Field(row.image),
        "profile": Field(row.profile),
        "errors": grown(row.errors),
        "container_id": Field(row.container_id),
    }
    shown = (*FURTHER, *(OF_RDMA if row.rdma_device else ()))
    fields |= {name: grown(getattr(row, name)) for name in shown}
    return Folder(tuple(Entry(name, node) for name, node in fields.items()))


def _mgmt_net(row: ServiceRow, profile: ProfileFields | None, live: ContainerSeen | None) -> str:
    """The network beside the data network: as declared, or of what is not declared any more as it lives."""
    if profile is not None:
        return profile.mgmt_net.name if profile.mgmt_net is not None else ""
    spec = live.spec if live is not None else ContainerSpec("", network="")
    names = [spec.network, *(item.network for item in spec.attachments)]
    return next((name for name in names if name != row.data_net_name), "")


def _network(seen: Seen, name: str) -> Node:
    """What is declared of the network; one of the engine's own has a name only."""
    if not name:
        return Field()
    document = seen.site.networks.get(name)
    declared: Mapping[str, Any] = {} if document is None else document.value.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return grown({"name": name, **declared})


def _vf_mac(seen: Seen, row: ServiceRow) -> str:
    """Of a service with a virtual function its MAC, which is made of names."""
    document = seen.site.networks.get(row.data_net_name)
    if document is None or not document.value.driver_row.gives_functions:
        return ""
    return stable_mac(seen.site.name, row.endpoint, row.session, row.data_net_name)


def container_fields(spec: ContainerSpec) -> Mapping[str, Any]:
    """What the live container was created with, as far as anything is set: of the environment the names only."""
    return {name: value for name, value in _container_fields(spec) if value}


def _container_fields(spec: ContainerSpec) -> Iterator[tuple[str, Any]]:
    yield "network", spec.network
    yield "volumes", [f"{shown_text(item.source)}:{item.target}{':ro' * item.read_only}" for item in spec.mounts]
    yield "volume_options", {item.target: shown_options(dict(item.driver_opts)) for item in spec.mounts if item.driver_opts}
    yield "devices", [item.host if item.host == item.container else f"{item.host}:{item.container}" for item in spec.devices]
    yield "ports", [f"{item.host}:{item.container}/{item.protocol}" for item in spec.ports]
    yield "ulimits", {item.name: f"{item.soft}:{item.hard}" for item in spec.ulimits}
    yield "cap_add", spec.cap_add
    yield "cap_drop", spec.cap_drop
    yield "sysctls", dict(spec.sysctls)
    yield "environment", sorted([name for name, _ in spec.env] + [item.name for item in spec.secrets])
    yield "privileged", spec.privileged
    yield "init", spec.init
    yield "restart", spec.restart if spec.restart != "no" else ""
    yield "memory", spec.memory
    yield "cpus", spec.cpus
    yield "cpu_set", spec.cpu_set
    yield "memory_nodes", spec.memory_nodes
    yield "shm_size", spec.shm_size
    yield "dns", spec.dns


def allocations(row: ServiceRow, live: ContainerSeen | None) -> Node:
    """What was chosen for the service: addresses, ports, virtual functions, CPUs."""
    spec = live.spec if live is not None else None
    chosen = {
        "data_ipv4": row.data_ipv4,
        "data_ipv6": row.data_ipv6,
        "ctrl_port": row.ctrl_port,
        "serv_port": row.serv_port,
        "data_ports": row.data_ports,
        "vfs": [f"{item.network} {item.vf}" for item in spec.attachments if item.vf] if spec is not None else [],
        "cpu_set": spec.cpu_set if spec is not None else "",
        "memory_nodes": spec.memory_nodes if spec is not None else "",
    }
    return grown({name: value for name, value in chosen.items() if value})


def declared_fields(value: Any) -> Mapping[str, Any]:
    """What a file says, without what it names as secret."""
    found: Mapping[str, Any] = without_hidden(value.model_dump(mode="json", exclude_unset=True, by_alias=True))
    return found
