"""Turns a service and its allocation into the normal form of a container, and a network into that of a network.

Pure. The environment is what Janus images expect; an unset variable is the empty text, never the word None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dtnctl.model.container_parts import HealthCheck
from dtnctl.model.drivers import BUILT_IN, HOST_NETWORK, NO_NETWORK, OWN_VLAN
from dtnctl.model.engine_fields import CPU_DIGITS
from dtnctl.model.networking import carries_default_route
from dtnctl.model.permission import DEVICE_FILES
from dtnctl.model.profile import ProfileFields, Volume
from dtnctl.model.resources import (
    NO_HEALTH,
    ContainerSeen,
    ContainerSpec,
    Device,
    Health,
    Mount,
    NetworkSpec,
    Pairs,
    PortBinding,
    Subnet,
    Ulimit,
)
from dtnctl.model.secret_fields import Secret
from dtnctl.model.secrets import SecretVariable, SecretVariables
from dtnctl.model.site import Endpoint, Network
from dtnctl.model.storage import as_made
from dtnctl.model.tuning import container_sysctls
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.hardware import VERBS
from dtnctl.planning.choices.volumes import container_device, container_mount, is_device
from dtnctl.planning.resolve import Service

LONGEST_HOSTNAME = 63
UNLIMITED_MEMLOCK = {"memlock": (-1, -1)}
NANO = 10**9
RDMA_CAPABILITIES = ("IPC_LOCK",)


def container_spec(service: Service, allocation: Allocation) -> ContainerSpec:
    """The container that the service should be, every choice made."""
    profile = service.profile
    return ContainerSpec(
        image=service.image,
        hostname="" if service.is_host_networked else service.endpoint.name[:LONGEST_HOSTNAME],  # else it is the host's own
        command=profile.arguments,
        entrypoint=profile.entrypoint,
        env=environment(service, allocation),
        secrets=secret_variables(profile),
        tty=profile.tty,
        init=profile.init,
        privileged=profile.privileged,
        stop_signal="SIGRTMIN+3" if profile.systemd else "SIGTERM",
        stop_timeout=max(1, round(profile.stop_timeout)),
        health=_health(profile.health_check),
        restart=_restart(profile.restart),
        memory=profile.memory or 0,
        cpus=0.0 if profile.near is not None else round(profile.cpus or 0.0, CPU_DIGITS),
        cpu_set=allocation.hardware.cpu_set or profile.cpu_set or "",
        memory_nodes=profile.memory_nodes or allocation.hardware.memory_nodes,
        shm_size=profile.shm_size,
        mounts=tuple(sorted(_mount(service, volume) for volume in profile.volumes if not is_device(service.site, volume))),
        devices=tuple(sorted(_devices(service, allocation))),
        ulimits=tuple(sorted(_ulimits(service))),
        cap_add=_capabilities((*profile.capabilities.add, *(RDMA_CAPABILITIES if is_rdma(profile) else ()))),
        cap_drop=_capabilities(profile.capabilities.drop),
        sysctls=tuple(sorted(_sysctls(service).items())),
        dns=profile.dns,
        network=_primary_network(service),
        attachments=allocation.attachments,
        ports=tuple(sorted(_bindings(service, allocation))),
    )


def environment(service: Service, allocation: Allocation) -> Pairs:
    """What Janus images expect, then the variables of the profile, and last the ports: the next plan reads them back. No secret."""
    profile = service.profile
    data_ports = profile.data_port_range
    expected = {
        "HOSTNAME": service.ctrl_host,
        "DATA_PORTS": f"{data_ports[0]},{data_ports[1]}" if data_ports else "",
        "USER_NAME": profile.user or "",
        "PUBLIC_KEY": "\n".join(profile.ssh_keys),
        "DEPLOYMENT_KEY": "",
        "DATA_IFACE": own_address(service, allocation) or service.ctrl_host,
    }
    written = {name: value or "" for name, value in profile.env.items() if not isinstance(value, Secret)}
    chosen = {"CTRL_PORT": _number(allocation.ctrl_port), "SERV_PORT": _number(allocation.serv_port)}
    secret = {variable.name for variable in secret_variables(profile)}
    return tuple(sorted((name, value) for name, value in (expected | written | chosen).items() if name not in secret))


def secret_variables(profile: ProfileFields) -> SecretVariables:
    """The variables whose values are secrets, which nothing here looks at."""
    written = profile.env.items()
    return tuple(sorted(SecretVariable(name, reference=value.secret) for name, value in written if isinstance(value, Secret)))


def with_fingerprints(spec: ContainerSpec, found: Mapping[str, str], live: ContainerSeen | None) -> ContainerSpec:
    """The spec with each secret's fingerprint, by reference. One that was not looked at counts as what the live container has."""
    if not spec.secrets:
        return spec
    held = {item.name: item.fingerprint for item in live.spec.secrets} if live is not None else {}
    known = (replace(item, fingerprint=found.get(item.reference) or held.get(item.name, "")) for item in spec.secrets)
    return replace(spec, secrets=tuple(sorted(known)))


def own_address(service: Service, allocation: Allocation) -> str:
    """Where the service itself is reached, IPv4 first: on its primary network. Empty where only its endpoint is.

    Behind a bridge that publishes ports, other hosts reach the endpoint; a data network is always meant itself.
    """
    if not service.profile.data_nets and service.publishes:
        return ""
    primary = _primary_network(service)
    return next((item.ipv4 or item.ipv6 for item in allocation.attachments if item.network == primary), "")


def _number(port: int) -> str:
    return str(port) if port else ""


def _restart(policy: str) -> str:
    return "on-failure:0" if policy == "on-failure" else policy


def _health(check: HealthCheck | None) -> Health | None:
    if check is None:
        return None
    if check.is_off:
        return NO_HEALTH
    interval, timeout, start_period = (_in_nanos(seconds) for seconds in (check.interval, check.timeout, check.start_period))
    return Health(check.test, interval, timeout, check.retries, start_period)


def _in_nanos(value: float) -> float:
    """The value as an engine keeps it: whole billionths, so that it reads back equal."""
    return round(value * NANO) / NANO


def _mount(service: Service, volume: Volume) -> Mount:
    if volume.nvme:
        return container_mount(service.site, volume)
    assert volume.kind != "nvme"
    return Mount(
        target=volume.target,
        kind=volume.kind,
        source=volume.source or "",
        read_only=volume.mode == "ro",
        driver=volume.driver or "",
        driver_opts=tuple(sorted(as_made(volume.driver or "", volume.driver_opts).items())),
        size=volume.size or 0,
    )


def _sysctls(service: Service) -> dict[str, str]:
    """The profile's own, and what the endpoint declares for the host of those that each network namespace has for itself."""
    profile = service.profile
    is_apart = profile.tune_container and not service.is_host_networked
    inherited = container_sysctls(service.endpoint.value.tuning) if is_apart else {}
    return {**inherited, **{name: str(value) for name, value in profile.sysctls.items()}}


def is_rdma(profile: ProfileFields) -> bool:
    """Whether it registers memory with an RDMA device: such memory cannot be swapped out, which needs a capability and no limit."""
    return VERBS in profile.devices


def _ulimits(service: Service) -> Iterator[Ulimit]:
    """Those of the profile; of RDMA's own where the backend has any."""
    profile = service.profile
    limits = {name: (limit.soft, limit.hard) for name, limit in profile.limits.items()}
    lack = service.backend.lacks.get("limits")
    if is_rdma(profile) and (lack is None or not lack.asks(UNLIMITED_MEMLOCK)):
        limits = UNLIMITED_MEMLOCK | limits
    yield from (Ulimit(name, soft, hard) for name, (soft, hard) in limits.items())


def _files(service: Service) -> tuple[str, ...]:
    """Devices that stand for one file; which verbs devices a service gets is a choice, unless a resource stands for them."""
    return tuple(text for text in service.profile.devices if text != VERBS or VERBS in service.endpoint.value.resources)


def _devices(service: Service, allocation: Allocation) -> Iterator[Device]:
    yield from (_device(text) for text in (*_files(service), *allocation.hardware.verbs))
    yield from (container_device(service.site, volume) for volume in service.profile.volumes if is_device(service.site, volume))


def _device(text: str) -> Device:
    host, _, rest = DEVICE_FILES.get(text, text).partition(":")
    container, _, permissions = rest.partition(":")
    return Device(host, container or host, permissions or "rwm")


def _capabilities(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({name.upper().removeprefix("CAP_") for name in names}))


def _primary_network(service: Service) -> str:
    if service.is_host_networked:
        return HOST_NETWORK
    return service.nets[0].name if service.nets else NO_NETWORK


def _bindings(service: Service, allocation: Allocation) -> Iterator[PortBinding]:
    if not service.publishes:
        return
    if allocation.ctrl_port:
        yield PortBinding(allocation.ctrl_port, service.profile.internal_port or allocation.ctrl_port)
    if allocation.serv_port:
        yield PortBinding(allocation.serv_port, allocation.serv_port)
    for low, high, protocol, _ in service.published:
        for port in range(low, high + 1):
            yield PortBinding(port, port, protocol)


def network_spec(name: str, network: Network, endpoint: Endpoint) -> NetworkSpec:
    """The network as this endpoint should have it; it needs the endpoint's `interfaces` entry for it where its driver needs one.

    One that carries no default route is made internal: the engine then sets none, and published ports of other networks live.
    """
    row = network.driver_row
    if row.gives_functions:
        return _network_of_functions(network, endpoint.interfaces[name])
    mode = row.mode(network.mode)
    return NetworkSpec(
        driver=network.driver,
        internal=not carries_default_route(network),
        ipv6=network.subnet6 is not None,
        subnets=_subnets(network),
        mtu=network.mtu or 0,
        mode=mode.name if mode is not None else "",
        parent=_parent(network, endpoint.interfaces[name]) if row.needs_interface else "",
    )


def _parent(network: Network, interface: str) -> str:
    if network.vlan is None:
        return interface
    return f"{interface}{OWN_VLAN if network.driver_row.moves_interface else '.'}{network.vlan}"


def _subnets(network: Network) -> tuple[Subnet, ...]:
    pairs = ((network.subnet, network.gateway), (network.subnet6, network.gateway6))
    return tuple(Subnet(subnet, gateway or "") for subnet, gateway in pairs if subnet is not None)


def _network_of_functions(network: Network, pf: str) -> NetworkSpec:
    """A network of virtual functions: the agent is its driver at the engine (docs/decisions/0008-vfs-by-a-network-driver.md).

    VLAN, MTU, rates and the like are settings of the functions themselves, so that changing them leaves the network alone.
    """
    return NetworkSpec(
        driver=network.driver,
        ipv6=network.subnet6 is not None,
        subnets=_subnets(network),
        default_route=carries_default_route(network),
        pf=pf,
    )


def default_route_of(service: Service) -> str:
    """The network that should carry the default route: the declared one, else mgmt_net, else the first data network that can."""
    if service.profile.default_route is not None:
        return service.profile.default_route
    mgmt = service.profile.mgmt_net
    able = [net.name for net in service.nets if _can_route(service, net.name)]
    if mgmt is not None and mgmt.name in able:
        return mgmt.name
    return able[0] if able else ""


def engine_default_route(service: Service) -> str:
    """The network that the engine gives the default route to, of those that have a route to the outside."""
    return service.backend.routed(net.name for net in service.nets if _can_route(service, net.name))


def _can_route(service: Service, network: str) -> bool:
    built_in = BUILT_IN.get(network)
    return built_in.has_default_route if built_in is not None else carries_default_route(service.site.networks[network].value)
