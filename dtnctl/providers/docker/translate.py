"""Translates between the model's normal form and the engine's JSON, in both directions. Pure.

Whatever `create_body` sends, `container_seen` reads back equal: drift detection stands on that. Answers are read leniently
(null, missing and empty mean the same), because engines differ in which of the three they write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any, TypeVar

from dtnctl.errors import EngineError
from dtnctl.model.actions import UpdateContainer
from dtnctl.model.check_runs import CheckRun
from dtnctl.model.engine_fields import CPU_DIGITS
from dtnctl.model.resources import (
    Attachment,
    ContainerSeen,
    ContainerSpec,
    Device,
    ForeignSeen,
    Health,
    ImageSeen,
    Mount,
    Pairs,
    PortBinding,
)
from dtnctl.model.secrets import LABEL_SECRETS, SecretValue, SecretVariable, secrets_in, secrets_label
from dtnctl.providers.docker.limits import LABEL_LIMITS, limits_note, ulimits_seen

Json = Mapping[str, Any]
SecretValues = Mapping[str, SecretValue]
Limit = TypeVar("Limit", int, float, str)

DEFAULTS = ContainerSpec(image="")
NANO = 10**9
NO_VALUES: SecretValues = MappingProxyType({})
NEVER = "0001-01-01T00:00:00Z"  # the engine's way to say that it did not happen
BINARY_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


# --- containers: to the engine ------------------------------------------------------------------------------


def create_body(spec: ContainerSpec, labels: Pairs, binds: Pairs = (), values: SecretValues = NO_VALUES) -> dict[str, Any]:
    """The JSON that creates the container. `binds` are (host folder, container path), made on the host if missing.

    `values` are those of its secrets, by variable: this is the one place where they leave dtnctl.
    """
    noted = {LABEL_SECRETS: secrets_label(spec.secrets)} if spec.secrets else {}
    body: dict[str, Any] = {
        "Image": spec.image,
        "Hostname": spec.hostname,
        "Env": [*(f"{name}={value}" for name, value in spec.env), *(f"{name}={value.reveal()}" for name, value in values.items())],
        "Tty": spec.tty,
        "Labels": {**dict(labels), **noted, LABEL_LIMITS: limits_note(spec.ulimits)},
        "StopTimeout": spec.stop_timeout,
        "ExposedPorts": {_port_key(port): {} for port in spec.ports},
        "HostConfig": _host_config(spec, binds),
    }
    if spec.stop_signal:
        body["StopSignal"] = spec.stop_signal
    if spec.command is not None:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint)
    if spec.health is not None:
        body["Healthcheck"] = _health_body(spec.health)
    primary = next((item for item in spec.attachments if item.network == spec.network), None)
    if primary is not None:
        # One network only: engines before API 1.44 refuse more at creation; the others are connected afterwards.
        body["NetworkingConfig"] = {"EndpointsConfig": {primary.network: endpoint_config(primary)}}
    return body


def endpoint_config(attachment: Attachment) -> dict[str, Any]:
    """The engine's settings of one attachment: fixed addresses, where there are any."""
    addresses = {"IPv4Address": attachment.ipv4, "IPv6Address": attachment.ipv6}
    fixed = {name: address for name, address in addresses.items() if address}
    function = {"DriverOpts": {_vf_option(): attachment.vf}} if attachment.vf else {}
    return ({"IPAMConfig": fixed} if fixed else {}) | function


def _vf_option() -> str:
    """The option of an attachment that names its virtual function for the agent's network driver; imported where there is one."""
    from dtn_agent.protocol.driver import VF_OPTION

    return VF_OPTION


def _host_config(spec: ContainerSpec, binds: Pairs) -> dict[str, Any]:
    # Init and Privileged are always said: a daemon may have its own default for the first.
    return {
        "Binds": [f"{folder}:{path}" for folder, path in binds],
        "Mounts": [_mount_body(mount) for mount in spec.mounts],
        "NetworkMode": spec.network,
        "PortBindings": _port_bindings(spec.ports),
        "RestartPolicy": _restart_body(spec.restart),
        "Init": spec.init,
        "Privileged": spec.privileged,
        "Memory": spec.memory,
        "NanoCpus": round(spec.cpus * NANO),
        "CpusetCpus": spec.cpu_set,
        "CpusetMems": spec.memory_nodes,
        "ShmSize": spec.shm_size,
        "Devices": [
            {"PathOnHost": item.host, "PathInContainer": item.container, "CgroupPermissions": item.permissions} for item in spec.devices
        ],
        "Ulimits": [{"Name": item.name, "Soft": item.soft, "Hard": item.hard} for item in spec.ulimits],
        "CapAdd": list(spec.cap_add),
        "CapDrop": list(spec.cap_drop),
        "Sysctls": dict(spec.sysctls),
        "Dns": list(spec.dns),
    }


def _mount_body(mount: Mount) -> dict[str, Any]:
    body: dict[str, Any] = {"Type": mount.kind, "Target": mount.target, "ReadOnly": mount.read_only}
    if mount.source:
        body["Source"] = mount.source
    if mount.driver or mount.driver_opts:
        body["VolumeOptions"] = {"DriverConfig": {"Name": mount.driver, "Options": dict(mount.driver_opts)}}
    if mount.propagation:
        body["BindOptions"] = {"Propagation": mount.propagation}
    if mount.size:
        body["TmpfsOptions"] = {"SizeBytes": mount.size}
    return body


def _port_key(port: PortBinding) -> str:
    return f"{port.container}/{port.protocol}"


def _port_bindings(ports: Iterable[PortBinding]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        bindings.setdefault(_port_key(port), []).append({"HostPort": str(port.host)})
    return bindings


def _restart_body(restart: str) -> dict[str, Any]:
    name, _, count = restart.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}


def _health_body(health: Health) -> dict[str, Any]:
    return {
        "Test": list(health.test),
        "Interval": round(health.interval * NANO),
        "Timeout": round(health.timeout * NANO),
        "Retries": health.retries,
        "StartPeriod": round(health.start_period * NANO),
    }


def update_body(action: UpdateContainer) -> dict[str, Any]:
    """The JSON that changes a live container.

    EngineError for a limit that is to be lifted: the engine takes 0 and "" as "leave alone" and would say that all is well.
    """
    body: dict[str, Any] = {}
    if action.memory is not None:
        # The engine refuses memory above the old swap limit, so its own default (twice the memory) goes along.
        body |= {"Memory": _limit(action.memory, "memory"), "MemorySwap": 2 * action.memory}
    if action.cpus is not None:
        body["NanoCpus"] = round(_limit(action.cpus, "cpus") * NANO)
    if action.cpu_set is not None:
        body["CpusetCpus"] = _limit(action.cpu_set, "cpu_set")
    if action.memory_nodes is not None:
        body["CpusetMems"] = _limit(action.memory_nodes, "memory_nodes")
    if action.restart is not None:
        body["RestartPolicy"] = _restart_body(action.restart)
    return body


def _limit(value: Limit, name: str) -> Limit:
    if not value:
        raise EngineError(f"the engine cannot lift the limit {name} of a live container; it needs a new one")
    return value


# --- containers: from the engine ----------------------------------------------------------------------------


def container_seen(raw: Json, *, host_name: str = "") -> ContainerSeen:
    """One container from its inspection. `host_name` is the engine host's own, which host-networked containers take over."""
    state = raw["State"]
    networks = raw["NetworkSettings"]["Networks"] or {}
    health = (state.get("Health") or {}).get("Status", "")
    return ContainerSeen(
        name=raw["Name"].removeprefix("/"),
        id=raw["Id"],
        labels=raw["Config"]["Labels"] or {},
        spec=_spec_seen(raw, networks, host_name),
        secret_values=_secret_values(raw["Config"]),
        image_id=raw["Image"],
        state=state["Status"],
        health="" if health == "none" else health,
        exit_code=state.get("ExitCode", 0),
        error=state.get("Error", ""),
        oom_killed=state.get("OOMKilled", False),
        started_at=_time(state.get("StartedAt", "")),
        finished_at=_time(state.get("FinishedAt", "")),
        restart_count=raw.get("RestartCount", 0),
        addresses=_attachments(networks, _live_addresses),
        checks=tuple(_check_runs(state.get("Health") or {})),
        anonymous_volumes=tuple(sorted(_anonymous_volumes(raw))),
    )


def _check_runs(health: Json) -> Iterator[CheckRun]:
    yield from (CheckRun(item.get("ExitCode", 0), item.get("Output") or "") for item in health.get("Log") or ())


def _anonymous_volumes(raw: Json) -> Iterator[str]:
    """Where volumes are mounted that nothing names: the image's own, and those that were asked for without a name."""
    named = {mount.target for mount in _mounts(raw["HostConfig"]) if mount.source}
    yield from (
        item["Destination"] for item in raw.get("Mounts") or () if item.get("Type") == "volume" and item["Destination"] not in named
    )


def _time(text: str) -> str:
    return "" if text == NEVER else text


def _spec_seen(raw: Json, networks: Json, host_name: str) -> ContainerSpec:
    config, host = raw["Config"], raw["HostConfig"]
    network = _network_mode(host["NetworkMode"])
    timeout = config.get("StopTimeout")
    env, fingerprints = env_pairs(config.get("Env")), secrets_in(config["Labels"] or {})
    return ContainerSpec(
        image=config["Image"],
        hostname=_hostname(config["Hostname"], raw["Id"], network, host_name),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        env=tuple(pair for pair in env if pair[0] not in fingerprints),
        secrets=tuple(SecretVariable(name, fingerprints[name]) for name, _ in env if name in fingerprints),
        tty=bool(config.get("Tty")),
        init=bool(host.get("Init")),
        privileged=bool(host.get("Privileged")),
        stop_signal=config.get("StopSignal") or "",
        stop_timeout=DEFAULTS.stop_timeout if timeout is None else timeout,
        health=health_seen(config.get("Healthcheck")),
        restart=_restart_seen(host.get("RestartPolicy") or {}),
        memory=host.get("Memory") or 0,
        cpus=_cpus(host),
        cpu_set=host.get("CpusetCpus") or "",
        memory_nodes=host.get("CpusetMems") or "",
        shm_size=host.get("ShmSize") or DEFAULTS.shm_size,
        mounts=tuple(sorted(_mounts(host))),
        devices=tuple(sorted(_device(item) for item in host.get("Devices") or ())),
        ulimits=tuple(sorted(ulimits_seen(host, config["Labels"] or {}))),
        cap_add=_capabilities(host.get("CapAdd")),
        cap_drop=_capabilities(host.get("CapDrop")),
        sysctls=tuple(sorted((host.get("Sysctls") or {}).items())),
        dns=tuple(host.get("Dns") or ()),
        network=network,
        attachments=_configured_attachments(network, networks),
        ports=tuple(sorted(_ports(host.get("PortBindings") or {}))),
    )


def _secret_values(config: Json) -> SecretValues:
    names = secrets_in(config["Labels"] or {})
    return {name: SecretValue(value) for name, value in env_pairs(config.get("Env")) if name in names}


def _network_mode(mode: str) -> str:
    return "bridge" if mode in ("", "default") else mode


def _hostname(hostname: str, container_id: str, network: str, host_name: str) -> str:
    """The name that was asked for: the engine fills in the short id, the host's name, or the name of the other container."""
    if network.startswith("container:") or hostname == container_id[:12]:
        return ""
    return "" if network == "host" and hostname == host_name else hostname


def env_pairs(texts: Iterable[str] | None) -> Pairs:
    """`NAME=value` texts as sorted pairs; of the same name the last one counts."""
    named = (text.partition("=") for text in texts or ())
    return tuple(sorted({name: value for name, _, value in named}.items()))


def health_seen(raw: Json | None) -> Health | None:
    """A health check, or None where there is none or it is switched off."""
    test = tuple((raw or {}).get("Test") or ())
    if raw is None or not test or test[0] == "NONE":
        return None
    return Health(
        test=test,
        interval=raw.get("Interval", 0) / NANO,
        timeout=raw.get("Timeout", 0) / NANO,
        retries=raw.get("Retries", 0),
        start_period=raw.get("StartPeriod", 0) / NANO,
    )


def _restart_seen(policy: Json) -> str:
    name = policy.get("Name") or "no"
    return f"{name}:{policy.get('MaximumRetryCount', 0)}" if name == "on-failure" else str(name)


def _cpus(host: Json) -> float:
    """CPUs; also where somebody set the limit as quota and period, as older tools do."""
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    return round(float((host.get("NanoCpus") or 0) / NANO or max(quota, 0) / period), CPU_DIGITS)


def _mounts(host: Json) -> Iterator[Mount]:
    yield from (_mount(item) for item in host.get("Mounts") or () if item["Type"] in ("bind", "volume", "tmpfs"))
    yield from (_bind(text) for text in host.get("Binds") or ())
    yield from (_tmpfs(target, options) for target, options in (host.get("Tmpfs") or {}).items())


def _mount(raw: Json) -> Mount:
    driver = (raw.get("VolumeOptions") or {}).get("DriverConfig") or {}
    return Mount(
        target=raw["Target"],
        kind=raw["Type"],
        source=raw.get("Source") or "",
        read_only=bool(raw.get("ReadOnly")),
        driver=driver.get("Name") or "",
        driver_opts=tuple(sorted((driver.get("Options") or {}).items())),
        size=(raw.get("TmpfsOptions") or {}).get("SizeBytes") or 0,
        propagation=(raw.get("BindOptions") or {}).get("Propagation") or "",
    )


def _bind(text: str) -> Mount:
    """The short form, `source:target:options`; a source without a slash is a volume's name."""
    source, _, rest = text.partition(":")
    target, _, options = rest.partition(":")
    return Mount(target, "bind" if source.startswith("/") else "volume", source, read_only="ro" in options.split(","))


def _tmpfs(target: str, options: str) -> Mount:
    words = options.split(",")
    size = next((word.removeprefix("size=") for word in words if word.startswith("size=")), "")
    return Mount(target, "tmpfs", read_only="ro" in words, size=_bytes(size))


def _bytes(text: str) -> int:
    """`64m` as bytes; 0 for nothing and for a share of the memory (`50%`)."""
    digits = text.rstrip("bkmgBKMG")
    return int(digits) * BINARY_UNITS[text[len(digits) :].lower() or "b"] if digits.isdecimal() else 0


def _device(raw: Json) -> Device:
    return Device(raw["PathOnHost"], raw["PathInContainer"], raw.get("CgroupPermissions") or "rwm")


def _capabilities(names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted({name.upper().removeprefix("CAP_") for name in names or ()}))


def _ports(bindings: Json) -> Iterator[PortBinding]:
    for key, targets in bindings.items():
        port, _, protocol = key.partition("/")
        for target in targets or ():
            # A range of host ports (only people write one) counts as its first.
            yield PortBinding(int((target.get("HostPort") or "0").partition("-")[0]), int(port), protocol or "tcp")


# --- attachments --------------------------------------------------------------------------------------------


def _configured_attachments(network: str, networks: Json) -> tuple[Attachment, ...]:
    """What was asked for; the engine also lists `host` and `none`, which are no attachments."""
    if network in ("host", "none") or network.startswith("container:"):
        return ()
    return tuple(sorted(_fixed_addresses(name, raw) for name, raw in networks.items()))


def _fixed_addresses(name: str, raw: Json) -> Attachment:
    fixed = raw.get("IPAMConfig") or {}
    options = raw.get("DriverOpts")
    function = options.get(_vf_option(), "") if options else ""
    return Attachment(name, fixed.get("IPv4Address") or "", _compressed(fixed.get("IPv6Address")), function)


def _live_addresses(name: str, raw: Json) -> Attachment:
    return Attachment(name, raw.get("IPAddress") or "", _compressed(raw.get("GlobalIPv6Address")))


def _taken_addresses(name: str, raw: Json) -> Attachment:
    """Live addresses, else those that a stopped container takes when it starts."""
    live, fixed = _live_addresses(name, raw), _fixed_addresses(name, raw)
    return Attachment(name, live.ipv4 or fixed.ipv4, live.ipv6 or fixed.ipv6)


def _attachments(networks: Json, addresses: Callable[[str, Json], Attachment]) -> tuple[Attachment, ...]:
    found = (addresses(name, raw) for name, raw in networks.items())
    return tuple(sorted(item for item in found if item.ipv4 or item.ipv6))


def _compressed(address: str | None) -> str:
    return IPv6Address(address).compressed if address else ""


def foreign_seen(listed: Json) -> ForeignSeen:
    """What we cannot have because of a foreign container, from its line in the list."""
    networks = (listed.get("NetworkSettings") or {}).get("Networks") or {}
    published = {(port["PublicPort"], port["Type"]) for port in listed.get("Ports") or () if port.get("PublicPort")}
    return ForeignSeen(listed_name(listed), listed["Id"], tuple(sorted(published)), _attachments(networks, _taken_addresses))


def listed_name(listed: Json) -> str:
    """The container's own name; legacy links give it more, of the form `/other/alias`. Empty while it is being removed."""
    names = [name.removeprefix("/") for name in listed.get("Names") or ()]
    return next((name for name in names if "/" not in name), "")


# --- images -------------------------------------------------------------------------------------------------


def image_seen(raw: Json) -> ImageSeen:
    """An image from its inspection; `digests` are `repository@sha256:…`."""
    config = raw.get("Config") or {}
    return ImageSeen(
        id=raw["Id"],
        digests=tuple(sorted(raw.get("RepoDigests") or ())),
        env=env_pairs(config.get("Env")),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        stop_signal=config.get("StopSignal") or "",
        health=health_seen(config.get("Healthcheck")),
        labels=tuple(sorted((config.get("Labels") or {}).items())),
    )
