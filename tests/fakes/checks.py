"""What the engine refuses or warns of before it makes a container."""

from __future__ import annotations

import re
import signal

from tests.fakes.errors import bad_request
from tests.fakes.machine import Machine
from tests.fakes.state import Json

MINIMUM_MEMORY = 6 * 2**20
MILLISECOND = 10**6
LOG_DRIVERS = ("", "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none", "splunk", "syslog")
RUNTIMES = ("", "runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux")
CAPABILITIES = frozenset(
    re.findall(
        r"\w+",
        "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
        "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
        "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT "
        "SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM",
    )
)


def check(given: Json, config: Json, machine: Machine) -> list[str]:
    """Refuse with 400 what the engine refuses in a HostConfig and a Config; returns its warnings."""
    _check_config(config)
    _check_health(config.get("Healthcheck") or {})
    check_restart(given)
    _check_ports(given)
    _check_mode(given, config)
    _check_words(given)
    check_resources(given, machine)
    return _warnings(given)


def _warnings(given: Json) -> list[str]:
    warnings = []
    if given.get("OomKillDisable") and not given.get("Memory"):
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources."
        )
    if given.get("NetworkMode") == "host" and given.get("PortBindings"):
        warnings.append("Published ports are discarded when using host network mode")
    return warnings


def _check_config(config: Json) -> None:
    for entry in config.get("Env") or []:
        if not entry.partition("=")[0]:
            raise bad_request(f"invalid environment variable: {entry}")
    folder = config.get("WorkingDir") or "/"
    if not folder.startswith("/"):
        raise bad_request(f"the working directory '{folder}' is invalid, it needs to be an absolute path")
    if config.get("StopSignal"):
        signal_number(config["StopSignal"])


def signal_number(name: str) -> int:
    """A signal by name, with or without SIG, or by number; real-time signals as RTMIN+3 or RTMAX-2."""
    if name.isdigit() and int(name) > 0:
        return int(name)
    short = name.upper().removeprefix("SIG")
    base, sign, steps = re.fullmatch(r"(.*?)(?:([+-])(\d+))?", short).groups()  # type: ignore[union-attr]  # fits anything
    if base in ("RTMIN", "RTMAX"):
        return int(signal.Signals[f"SIG{base}"]) + int(f"{sign or '+'}{steps or 0}")
    if f"SIG{short}" not in signal.Signals.__members__:
        raise bad_request(f"Invalid signal: {name}")
    return int(signal.Signals[f"SIG{short}"])


def _check_health(health: Json) -> None:
    for name in ("Interval", "Timeout", "StartPeriod"):
        if 0 != (health.get(name) or 0) < MILLISECOND:
            raise bad_request(f"{name} in Healthcheck cannot be less than 1ms")
    if (health.get("Retries") or 0) < 0:
        raise bad_request("Retries in Healthcheck cannot be negative")


def check_restart(given: Json) -> None:
    """The restart policy alone and beside AutoRemove."""
    policy = given.get("RestartPolicy") or {}
    name, count = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if given.get("AutoRemove") and name not in ("", "no"):
        raise bad_request("can't create 'AutoRemove' container with restart policy")
    if name in ("always", "unless-stopped", "no") and count:
        raise bad_request(f"maximum retry count cannot be used with restart policy '{name}'")
    if name == "on-failure" and count < 0:
        raise bad_request("maximum retry count cannot be negative")
    if name not in ("", "no", "always", "unless-stopped", "on-failure"):
        raise bad_request(f"invalid restart policy '{name}'")


def _check_ports(given: Json) -> None:
    for port, bindings in (given.get("PortBindings") or {}).items():
        number = port.partition("/")[0]
        for text in [number, *(binding.get("HostPort") or "0" for binding in bindings or [])]:
            if not re.fullmatch(r"\d{1,5}(-\d{1,5})?", text) or int(text.partition("-")[0]) > 65535:
                raise bad_request(f'invalid port specification: "{text}"')


def _check_mode(given: Json, config: Json) -> None:
    mode = given.get("NetworkMode") or "default"
    if mode == "container:":
        raise bad_request("Invalid network mode: invalid container format container:<name|id>")
    if mode == "host" and given.get("Links"):
        links = "host type networking can't be used with links. This would result in undefined behavior"
        raise bad_request(f"conflicting options: {links}")
    shared = mode.startswith("container:")
    conflicts = {
        "hostname and the network mode": shared and config.get("Hostname"),
        "mac-address and the network mode": (shared or mode == "host") and config.get("MacAddress"),
        "dns and the network mode": shared and given.get("Dns"),
        "custom host-to-IP mapping and the network mode": shared and given.get("ExtraHosts"),
        "port publishing and the container type network mode": shared and (given.get("PortBindings") or given.get("PublishAllPorts")),
        "port exposing and the container type network mode": shared and config.get("ExposedPorts"),
    }
    for what, present in conflicts.items():
        if present:
            raise bad_request(f"conflicting options: {what}")


def _check_words(given: Json) -> None:
    for field in ("CapAdd", "CapDrop"):
        for name in given.get(field) or []:
            known = name.upper().removeprefix("CAP_")
            if known not in CAPABILITIES:
                raise bad_request(f'invalid {field}: unknown capability: "CAP_{known}"')
    for host in given.get("ExtraHosts") or []:
        if ":" not in host:
            raise bad_request(f'bad format for add-host: "{host}"')
    if (given.get("Runtime") or "") not in RUNTIMES:
        raise bad_request(f"Unknown runtime specified {given['Runtime']}")
    driver = (given.get("LogConfig") or {}).get("Type") or ""
    if driver not in LOG_DRIVERS:
        raise bad_request(f'error looking up logging plugin {driver}: plugin "{driver}" not found')


def check_resources(given: Json, machine: Machine) -> None:
    """Processors and memory against the machine."""
    _check_set(given.get("CpusetCpus") or "", machine.cpus, "CPUs")
    _check_set(given.get("CpusetMems") or "", machine.memory_nodes, "memory nodes")
    _check_memory(given)
    _check_processor_time(given, machine)
    if not -1000 <= (given.get("OomScoreAdj") or 0) <= 1000:
        raise bad_request(f"Invalid value {given['OomScoreAdj']}, range for oom score adj is [-1000, 1000]")
    if (given.get("ShmSize") or 0) < 0:
        raise bad_request("SHM size can not be less than 0")


def _check_memory(given: Json) -> None:
    memory, swap = given.get("Memory") or 0, given.get("MemorySwap") or 0
    if 0 < memory < MINIMUM_MEMORY:
        raise bad_request("Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise bad_request("Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0:
        raise bad_request("You should always set the Memory limit when using Memoryswap limit, see usage")
    if memory > 0 and (given.get("MemoryReservation") or 0) > memory:
        raise bad_request("Minimum memory limit can not be less than memory reservation limit, see usage")
    swappiness = given.get("MemorySwappiness")
    if swappiness is not None and not -1 <= swappiness <= 100:
        raise bad_request(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")


def _check_processor_time(given: Json, machine: Machine) -> None:
    nano, period, quota = (given.get(name) or 0 for name in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    if nano > 0 and period > 0:
        raise bad_request("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if nano > 0 and quota > 0:
        raise bad_request("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if nano < 0 or nano > machine.cpus * 10**9:
        available = f"as there are only {machine.cpus} CPUs available"
        raise bad_request(f"Range of CPUs is from 0.01 to {machine.cpus}.00, {available}")
    if period != 0 and not 1000 <= period <= 10**6:
        raise bad_request("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < quota < 1000:
        raise bad_request("CPU cfs quota can not be less than 1ms (i.e. 1000)")


def _check_set(text: str, available: int, what: str) -> None:
    if not text:
        return
    name = "cpuset cpus" if what == "CPUs" else "cpuset mems"
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise bad_request(f"Invalid value {text} for {name}: invalid format: {text}")
    highest = max(int(number) for number in re.findall(r"\d+", text))
    if highest >= available:
        have = "0" if available == 1 else f"0-{available - 1}"
        raise bad_request(f"Requested {what} are not available - requested {text}, available: {have}")
