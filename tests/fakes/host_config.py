"""HostConfig: every field with the engine's default, and what the engine refuses at create and update."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fakes.errors import EngineError, bad_request
from tests.fakes.machine import Machine
from tests.fakes.state import Json

MASKED_PATHS = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
]
READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
SHM_SIZE = 64 * 2**20
MINIMUM_MEMORY = 6 * 2**20

DEFAULTS: Json = {
    "Binds": None,
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "default",
    "PortBindings": None,
    "RestartPolicy": {"Name": "", "MaximumRetryCount": 0},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": None,
    "CapAdd": None,
    "CapDrop": None,
    "CgroupnsMode": "host",
    "Dns": None,
    "DnsOptions": None,
    "DnsSearch": None,
    "ExtraHosts": None,
    "GroupAdd": None,
    "IpcMode": "private",
    "Cgroup": "",
    "Links": None,
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": SHM_SIZE,
    "ConsoleSize": [0, 0],
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": None,
    "BlkioDeviceReadBps": None,
    "BlkioDeviceWriteBps": None,
    "BlkioDeviceReadIOps": None,
    "BlkioDeviceWriteIOps": None,
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": None,
    "DeviceCgroupRules": None,
    "DeviceRequests": None,
    "KernelMemory": 0,
    "KernelMemoryTCP": 0,
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": None,
    "OomKillDisable": False,
    "PidsLimit": None,
    "Ulimits": None,
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "MaskedPaths": MASKED_PATHS,
    "ReadonlyPaths": READONLY_PATHS,
}
WHEN_SET = ("Init", "Mounts", "Runtime", "StorageOpt", "Sysctls", "Tmpfs")
"""Fields that the engine shows only when they hold something; `Init` also when it is false."""

UPDATABLE = (
    "BlkioWeight",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "KernelMemory",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
)


def complete(given: Json, *, present: bool) -> Json:
    """A full HostConfig: what the client gave, the engine's default for the rest. `present`: the client sent one at all."""
    full: Json = json.loads(json.dumps(DEFAULTS))
    for name in full:
        value = given.get(name)
        # Zero and the empty string ask for the default; empty lists and objects are shown as they came.
        if value is not None and (full[name] is None or value not in ("", 0)):
            full[name] = value
    full.update({name: given[name] for name in WHEN_SET if given.get(name) or (name == "Init" and given.get(name) is False)})
    if full["PortBindings"]:
        full["PortBindings"] = {port: _bindings(wanted) for port, wanted in full["PortBindings"].items()}
    if present:
        # A request without any HostConfig gets its runtime when it starts: the engine fills the field in place.
        full["Runtime"] = full.get("Runtime") or "runc"
    full["LogConfig"] = _log_config(given.get("LogConfig") or {})
    full["RestartPolicy"] = {**DEFAULTS["RestartPolicy"], **(given.get("RestartPolicy") or {})}
    _fill_memory(full)
    if full["PidsLimit"] is not None and full["PidsLimit"] <= 0:
        full["PidsLimit"] = None
    if full["Privileged"]:
        full["MaskedPaths"] = full["ReadonlyPaths"] = None
    if full["Privileged"] or "host" in (full["IpcMode"], full["PidMode"]):
        full["SecurityOpt"] = [*(full["SecurityOpt"] or []), "label=disable"]
    return full


def _bindings(wanted: list[Json] | None) -> list[Json]:
    return [{"HostIp": one.get("HostIp") or "", "HostPort": one.get("HostPort") or ""} for one in wanted or []]


def _log_config(given: Json) -> Json:
    return {"Type": given.get("Type") or "json-file", "Config": given.get("Config") or {}}


def _fill_memory(full: Json) -> None:
    if full["Memory"] > 0 and full["MemorySwap"] == 0:
        full["MemorySwap"] = 2 * full["Memory"]


def check(given: Json, config: Json, machine: Machine) -> None:
    """Refuse with 400 what the engine refuses before it makes anything."""
    _check_restart(given)
    _check_ports(given)
    _check_mode(given, config)
    check_resources(given, machine)


def _check_restart(given: Json) -> None:
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
    if not mode.startswith("container:"):
        return
    conflicts = {
        "hostname and the network mode": config.get("Hostname"),
        "dns and the network mode": given.get("Dns"),
        "custom host-to-IP mapping and the network mode": given.get("ExtraHosts"),
        "port publishing and the container type network mode": given.get("PortBindings") or given.get("PublishAllPorts"),
        "port exposing and the container type network mode": config.get("ExposedPorts"),
    }
    for what, present in conflicts.items():
        if present:
            raise bad_request(f"conflicting options: {what}")


def check_resources(given: Json, machine: Machine) -> None:
    """Processors and memory against the machine."""
    _check_set(given.get("CpusetCpus") or "", machine.cpus, "CPUs")
    _check_set(given.get("CpusetMems") or "", machine.memory_nodes, "memory nodes")
    memory, swap = given.get("Memory") or 0, given.get("MemorySwap") or 0
    if 0 < memory < MINIMUM_MEMORY:
        raise bad_request("Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise bad_request("Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0:
        raise bad_request("You should always set the Memory limit when using Memoryswap limit, see usage")
    if memory > 0 and (given.get("MemoryReservation") or 0) > memory:
        raise bad_request("Minimum memory limit can not be less than memory reservation limit, see usage")
    _check_nano_cpus(given, machine)


def _check_nano_cpus(given: Json, machine: Machine) -> None:
    nano = given.get("NanoCpus") or 0
    if nano > 0 and (given.get("CpuPeriod") or 0) > 0:
        raise bad_request("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if nano > 0 and (given.get("CpuQuota") or 0) > 0:
        raise bad_request("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if nano < 0 or nano > machine.cpus * 10**9:
        raise bad_request(
            f"Range of CPUs is from 0.01 to {machine.cpus}.00, as there are only {machine.cpus} CPUs available"
        )


def _check_set(text: str, available: int, what: str) -> None:
    if not text:
        return
    name = "cpuset cpus" if what == "CPUs" else "cpuset mems"
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise bad_request(f"Invalid value {text} for {name}")
    highest = max(int(number) for number in re.findall(r"\d+", text))
    if highest >= available:
        have = "0" if available == 1 else f"0-{available - 1}"
        raise bad_request(f"Requested {what} are not available - requested {text}, available: {have}")


def update(container_id: str, host_config: Json, given: Json, machine: Machine) -> None:
    """Change limits and the restart policy in place. A zero leaves the field as it is: a limit cannot be taken away."""
    check_resources({**given, "MemorySwap": 0}, machine)
    _check_restart({"RestartPolicy": given.get("RestartPolicy")})
    changed = {name: given[name] for name in UPDATABLE if given.get(name)}
    reason = _update_conflict(host_config, changed)
    policy = given.get("RestartPolicy") or {}
    if policy.get("Name") and host_config["AutoRemove"] and policy["Name"] != "no":
        reason = "Restart policy cannot be updated because AutoRemove is enabled for the container"
    if reason:
        raise EngineError(400, f"Cannot update container {container_id}: {reason}")
    host_config.update(changed)
    if policy.get("Name"):
        host_config["RestartPolicy"] = {"Name": policy["Name"], "MaximumRetryCount": policy.get("MaximumRetryCount") or 0}


def _update_conflict(current: Json, changed: dict[str, Any]) -> str:
    if changed.get("NanoCpus") and (current["CpuPeriod"] or current["CpuQuota"]):
        which = "Period" if current["CpuPeriod"] else "Quota"
        return f"Conflicting options: Nano CPUs cannot be updated as CPU {which} has already been set"
    if (changed.get("CpuPeriod") or changed.get("CpuQuota")) and current["NanoCpus"]:
        which = "Period" if changed.get("CpuPeriod") else "Quota"
        return f"Conflicting options: CPU {which} cannot be updated as NanoCPUs has already been set"
    memory = changed.get("Memory", 0)
    if memory and 0 < current["MemorySwap"] < memory and "MemorySwap" not in changed:
        return "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
    return ""
