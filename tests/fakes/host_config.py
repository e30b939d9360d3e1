"""HostConfig: every field with the engine's default, and changing it in place."""

from __future__ import annotations

import json

from tests.fakes import checks
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
    return full


def add_limits(full: Json, machine: Machine) -> None:
    """The daemon's own limits, after those that the client gave."""
    given = {limit["Name"] for limit in full["Ulimits"] or []}
    limits = [{"Name": name, "Hard": hard, "Soft": soft} for name, (soft, hard) in machine.default_ulimits.items() if name not in given]
    if limits:
        full["Ulimits"] = [*(full["Ulimits"] or []), *limits]


def _bindings(wanted: list[Json] | None) -> list[Json]:
    return [{"HostIp": one.get("HostIp") or "", "HostPort": one.get("HostPort") or ""} for one in wanted or []]


def _log_config(given: Json) -> Json:
    return {"Type": given.get("Type") or "json-file", "Config": given.get("Config") or {}}


def _fill_memory(full: Json) -> None:
    if full["Memory"] > 0 and full["MemorySwap"] == 0:
        full["MemorySwap"] = 2 * full["Memory"]


def update(host_config: Json, given: Json, machine: Machine) -> None:
    """Change limits in place. A zero leaves the field as it is: a limit cannot be taken away."""
    checks.check_resources(given, machine)
    host_config.update({name: given[name] for name in UPDATABLE if given.get(name)})
