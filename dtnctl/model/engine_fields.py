"""The fields of a container as engines take them: what no engine can take, or takes for something else, is refused in the file.

Each rule lists what is good, and was read off a real engine (tests/e2e/test_engine_takes.py asks one again). What depends on the
host, such as the number of its CPUs, is left to the plan.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dtnctl.model.fields import CpuList, Duration, Memory, Size, SysctlValue, parse_arguments, shown
from dtnctl.model.nearest import nearest
from dtnctl.model.written import AS_WRITTEN
from dtnctl.printable import is_visible

# man 2 getrlimit, as runc knows them (libcontainer/configs).
LIMIT_NAMES = (
    "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue",
    "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip
MOST_FILES = 2_147_483_584  # the most that fs.nr_open can be (fs/file.c); no process may have a higher `nofile`
# man 7 capabilities, as of Linux 5.9. Engines that are older than the kernel know fewer.
CAPABILITIES = frozenset(
    re.findall(
        r"\w+",
        "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID "
        "IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW "
        "PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO "
        "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM",
    )
)
KNOWN_DEVICES = ("rdma_cm", "uverbs")
# What runc lets into a container (libcontainer/configs/validate): the namespaces of IPC, and of the network below `net.`.
IPC_SYSCTLS = frozenset(f"kernel.{name}" for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"))
UTS_SYSCTLS = frozenset({"kernel.domainname"})
# Settings of one interface: engines name a container's interfaces in an order of their own, and refuse these from API 1.48 on.
OWN_INTERFACES = frozenset({"all", "default", "lo"})
# What may be mounted over in /proc (runc, checkProcMount): the files that lxcfs gives.
PROC_FILES = frozenset(f"/proc/{name}" for name in ("cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"))
LEAST_MEMORY = 6 * 1024**2
MOST_MEMORY = 2**62 - 1  # the engine gets twice as much for memory and swap
LONGEST_HEALTH_TIME = 86_400.0
CPU_DIGITS = 5  # decimals of a limit in CPUs: kernels take whole microseconds of each tenth of a second
HIGHEST_CPU = 8191  # pkg/parsers of the engine

_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}\$?")
_SYSCTL = re.compile(r"[a-z0-9_]+(\.[A-Za-z0-9_:@-]+(/[A-Za-z0-9_:@-]+)*)+")
_INTERFACE_SYSCTL = re.compile(r"(net\.[a-z0-9]+\.(?:conf|neigh))\.([^.]+)\.")
_PERMISSIONS = re.compile(r"(?!.*(.).*\1)[rwm]{1,3}")

# The grammar of distribution/reference.
_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?"
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:(?P<domain>{_DOMAIN})/)?{_PATH}(?:/{_PATH})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?"
)
LONGEST_IMAGE_NAME = 255


# --- text ---------------------------------------------------------------------------------------------------


def check_word(value: str) -> str:
    """Any text that the kernel can pass to a program."""
    if "\0" in value:
        raise ValueError(f"{shown(value)} has a NULL character in it, which no program can be given")
    return value


def check_env_value(value: str | None) -> str | None:
    return None if value is None else check_word(value)


def check_entry_point(value: tuple[str, ...]) -> tuple[str, ...]:
    """The engine reads an empty program as none at all."""
    if value and not value[0]:
        raise ValueError("the program's name is empty; write [] for no entry point")
    return value


def check_limit_name(value: str) -> str:
    if value not in LIMIT_NAMES:
        name = value.lower().removeprefix("rlimit_")
        similar = name if name in LIMIT_NAMES else nearest(name, LIMIT_NAMES)
        raise ValueError(f"{shown(value)} is not a limit; write {similar or 'one of ' + ', '.join(LIMIT_NAMES)}")
    return value


def check_env_name(value: str) -> str:
    if not value or not all(is_visible(character) and character not in " =" for character in value):
        what = "it is empty" if not value else f"{shown(value)} has a `=` in it" if "=" in value else f"{shown(value)} is none"
        raise ValueError(f"the name of a variable: {what}; write letters, digits and _")
    return value


def check_user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a login name; write letters, digits, -, _ and .")
    return value


def check_key(value: str) -> str:
    """One public key: another line would be another key, or an option of sshd."""
    if not value.strip() or not all(is_visible(character) for character in value):
        raise ValueError(f"{shown(value)} is not one line of a public key file; write each key as an item of its own")
    return value


# --- images -------------------------------------------------------------------------------------------------


def check_image(value: str) -> str:
    """A reference as engines take it: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`."""
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError(f"{shown(value)} is not the name of an image; {_image_hint(value)}")
    if len(match["name"]) > LONGEST_IMAGE_NAME:
        raise ValueError(f"the image's name has {len(match['name'])} characters, {LONGEST_IMAGE_NAME} are the most")
    port = (match["domain"] or "").rpartition(":")[2]
    if match["domain"] and port.isdecimal() and ":" in match["domain"] and not 1 <= int(port) <= 65535:
        raise ValueError(f"{shown(value)}: there is no port {port}")
    return value


def _image_hint(value: str) -> str:
    lowered = value.lower()
    if "://" in value:
        return f"write it without {value.partition('://')[0]}://"
    if _IMAGE.fullmatch(lowered):
        return f"its repository is written in lower case: {_with_lower_path(value)}"
    if value.endswith(":"):
        return "write a tag behind the `:`"
    return "write for example reg.example.net/dtn:1"


def _with_lower_path(value: str) -> str:
    """The reference with its repository in lower case; tags may have capitals."""
    name, at, digest = value.partition("@")
    path, colon, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    return f"{path.lower()}{colon}{tag}{at}{digest}"


# --- paths --------------------------------------------------------------------------------------------------


def clean_path(value: str) -> str:
    """The absolute path in its one form, so that equal ones are equal texts; `..` is refused: a link would make it another place."""
    if not value.startswith("/"):
        hint = f"; write it in full instead of {value.partition('/')[0]}" if value.startswith(("~", "$", ".")) else ""
        raise ValueError(f"{shown(value)} is not an absolute path{hint}")
    if not all(is_visible(character) for character in value):
        raise ValueError(f"{shown(value)} has an invisible character in it")
    if ".." in value.split("/"):
        raise ValueError(f"{shown(value)} goes upward by `..`; write the path that it leads to")
    return posixpath.normpath(value).replace("//", "/")


def check_target(value: str) -> str:
    """Where in a container something can be mounted."""
    path = clean_path(value)
    if path == "/":
        raise ValueError("nothing can be mounted on `/`, which is the image's")
    if (path == "/proc" or path.startswith("/proc/")) and path not in PROC_FILES:
        raise ValueError(f"{shown(value)}: engines mount nothing into /proc; write another path, such as /host{path}")
    return path


def check_volume_name(value: str) -> str:
    if "/" in value or value.startswith(("~", ".", "$")):
        raise ValueError(f"{shown(value)} is a relative path; write an absolute one, such as /data, or the name of a volume")
    if not _VOLUME_NAME.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a volume; write letters, digits, -, _ and ., two at least")
    return value


# --- devices and sysctls ------------------------------------------------------------------------------------


def check_device(value: str) -> str:
    """`/dev/fuse`, `/dev/nvme0n1:/dev/disk:r`, or a name that stands for a device."""
    if value in KNOWN_DEVICES:
        return value
    host, *rest = value.split(":")
    if not host.startswith("/") or len(rest) > 2:
        hint = f"/dev/{host}" if re.fullmatch(r"[a-z0-9_]+", host) and not rest else "/dev/fuse, /dev/nvme0n1:/dev/disk:r"
        raise ValueError(f"{shown(value)} is not a device; write {hint}, or {' or '.join(KNOWN_DEVICES)}")
    for path in [host, *(item for item in rest[:1] if item)]:
        if clean_path(path) != path or path == "/":
            raise ValueError(f"{shown(value)}: {shown(path)} is not the plain path of a device")
    if len(rest) == 2 and not _PERMISSIONS.fullmatch(rest[1]):
        raise ValueError(f"{shown(value)}: {shown(rest[1])} is not what may be done with it; write r, w and m")
    return value


def check_own_sysctl(value: str) -> str:
    """A sysctl that a container has for itself."""
    if not _SYSCTL.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a sysctl; write for example net.ipv4.tcp_rmem")
    if value == "kernel.hostname":
        raise ValueError(f"{shown(value)} is set by the engine, from the endpoint's name; remove it")
    interface = _INTERFACE_SYSCTL.match(value)
    if interface is not None and interface[2] not in OWN_INTERFACES:
        general = f"{interface[1]}.default.{value[interface.end() :]}"
        raise ValueError(f"{shown(value)} is of one interface, which engines name in an order of their own; write {general}")
    if not value.startswith(("net.", "fs.mqueue.")) and value not in IPC_SYSCTLS | UTS_SYSCTLS:
        raise ValueError(
            f"{shown(value)} belongs to the whole host, a container has none of its own; `tuning:` of the endpoint sets the host's"
        )
    return value


# --- numbers ------------------------------------------------------------------------------------------------


def check_memory(value: int | None) -> int | None:
    """At least what the engine asks for, at most what it can count."""
    if value is None or LEAST_MEMORY <= value <= MOST_MEMORY:
        return value
    if value > MOST_MEMORY:
        raise ValueError("that is more than any machine has")
    hint = f"; write {value}MiB or {value}GiB" if value < 1024**2 else ""
    raise ValueError(f"{value} bytes are less than 6MiB, the least that engines take{hint}")


def check_cpus(value: float | None) -> float | None:
    if value and not 0.01 <= value <= HIGHEST_CPU + 1:
        raise ValueError(f"{value:g} is no number of CPUs: engines take 0.01 to {HIGHEST_CPU + 1}")
    return value


def check_cpu_numbers(value: str) -> str:
    """A list that goes upward and ends where engines stop counting."""
    for part in value.split(","):
        low, _, high = part.partition("-")
        if int(low) > int(high or low):
            raise ValueError(f"{shown(value)}: the range {part} is backward; write {high}-{low}")
        if int(high or low) > HIGHEST_CPU:
            raise ValueError(f"{shown(value)}: {high or low} is beyond {HIGHEST_CPU}, the highest number that engines take")
    return value


def check_health_time(value: float) -> float:
    if not 0.001 <= value <= LONGEST_HEALTH_TIME:
        raise ValueError(f"{value:g} s: engines take 1ms and more, and read 0 as a time of their own choice; write 1ms to 1d")
    return value


def check_start_period(value: float) -> float:
    """0 is 1 ms: for an engine it would be the image's."""
    return check_health_time(value or 0.001)


def check_stop_timeout(value: float) -> float:
    if value < 1 or value != int(value):
        raise ValueError(f"{value:g} s: engines count whole seconds; write 1s or more")
    return value


def check_positive_size(value: int) -> int:
    if value == 0:
        raise ValueError("0 is what engines read as a size of their own choice; write a size, or omit the key")
    return value


def check_limits(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """`nofile` has a highest value that no host's setting can exceed."""
    files = value.get("nofile")
    if files is not None and not 0 <= files.hard <= MOST_FILES:
        raise ValueError(
            f"`nofile` cannot be unlimited: {MOST_FILES} open files are the most that Linux has, and fs.nr_open the host's own limit"
        )
    return value


def check_capability(value: str) -> str:
    """Its name in the kernel's form, without `CAP_`."""
    name = value.upper().removeprefix("CAP_")
    if name != "ALL" and name not in CAPABILITIES:
        similar = nearest(name, CAPABILITIES)
        raise ValueError(f"{shown(value)} is not a capability; write {similar or 'one of man 7 capabilities, such as NET_ADMIN'}")
    return name


def check_distinct_targets(volumes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two mounts in one place: the engine refuses the second."""
    return _distinct(volumes, [volume.target for volume in volumes], "volumes are mounted on")


def check_distinct_devices(devices: tuple[str, ...]) -> tuple[str, ...]:
    """Two devices at one path: the container would get one of them."""
    paths = [(text.split(":")[1:2] or [""])[0] or text.partition(":")[0] for text in devices]
    return _distinct(devices, paths, "devices are")


def _distinct(items: tuple[Any, ...], paths: list[str], what: str) -> tuple[Any, ...]:
    twice = next((path for index, path in enumerate(paths) if path in paths[:index]), None)
    if twice is not None:
        raise ValueError(f"two {what} {shown(twice)}; remove one")
    return items


# --- types --------------------------------------------------------------------------------------------------

_TEXT_OR_WORD: dict[str, Any] = {"type": ["string", "number", "boolean"], "$comment": "text"}
_TEXT_OR_NOTHING: dict[str, Any] = {
    "type": ["string", "number", "boolean", "null"],
    "$comment": "text, a number as it is written, or `null`",
}

EnvName = Annotated[str, AfterValidator(check_env_name)]
EnvValue = Annotated[str | None, AS_WRITTEN, AfterValidator(check_env_value), WithJsonSchema(_TEXT_OR_NOTHING)]
Arguments = Annotated[
    tuple[Annotated[str, AS_WRITTEN, AfterValidator(check_word)], ...],
    BeforeValidator(parse_arguments),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": _TEXT_OR_WORD}], "$comment": "text or list of words"}),
]
EntryPoint = Annotated[
    Arguments,
    AfterValidator(check_entry_point),
]
LoginName = Annotated[str, AfterValidator(check_user)]
PublicKey = Annotated[str, AfterValidator(check_key)]
ImageName = Annotated[str, AfterValidator(check_image), WithJsonSchema({"type": "string", "$comment": "image"})]
HostPath = Annotated[str, AfterValidator(clean_path), WithJsonSchema({"type": "string", "pattern": "^/", "$comment": "absolute path"})]
MountTarget = Annotated[str, AfterValidator(check_target), WithJsonSchema({"type": "string", "pattern": "^/", "$comment": "absolute path"})]
DeviceText = Annotated[str, AfterValidator(check_device)]
Capability = Annotated[str, AfterValidator(check_capability), WithJsonSchema({"type": "string", "$comment": "capability"})]
LimitName = Annotated[str, AfterValidator(check_limit_name)]
OwnSysctl = Annotated[str, AfterValidator(check_own_sysctl)]
OwnSysctlValue = Annotated[SysctlValue, AS_WRITTEN]
ContainerMemory = Annotated[Memory, AfterValidator(check_memory)]
Cpus = Annotated[float, Field(ge=0), AfterValidator(check_cpus)]
CpuNumbers = Annotated[CpuList, AS_WRITTEN, AfterValidator(check_cpu_numbers)]
SomeSize = Annotated[Size, AfterValidator(check_positive_size)]
HealthTime = Annotated[Duration, AfterValidator(check_health_time)]
StartPeriod = Annotated[Duration, AfterValidator(check_start_period)]
StopTimeout = Annotated[Duration, AfterValidator(check_stop_timeout)]
RestartPolicy = Annotated[str, Field(pattern=r"^(no|always|unless-stopped|on-failure(:[1-9][0-9]{0,5})?)$")]
