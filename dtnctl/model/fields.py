"""The scalar types of the state files: sizes, durations, ports, addresses. Parsing only, no I/O.

Each type keeps what the planner needs (bytes, seconds, canonical text) and refuses the rest with a sentence that
names the accepted form.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from dtnctl.model.hardware import cpu_numbers, cpu_text
from dtnctl.model.near_misses import duration_meant, ports_meant, rate_meant, size_meant, span_meant

# The counts of digits are bounded: what people mean fits, and no arithmetic below can overflow.
_SIZE = re.compile(r"^([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([KMGT]i?B|B)?$")
_SIZE_UNIT = {"": 1, "B": 1} | {
    f"{prefix}{suffix}": base**power for power, prefix in enumerate("KMGT", start=1) for suffix, base in (("iB", 1024), ("B", 1000))
}
_DURATION = re.compile(r"^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$")
_DURATION_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
_REPOSITORY_ID = re.compile(r"^[0-9a-f]{12}$")
_PORT = re.compile(r"^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp))?$")
_CPU_LIST = re.compile(r"^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$")
_COUNT = re.compile(r"[0-9]{1,9}")
_RATE = re.compile(r"^([0-9]{1,9}(?:\.[0-9]{1,9})?)([kmgt])bit$")
_RATE_UNIT = {"k": 1, "m": 10**3, "g": 10**6, "t": 10**9}
_PERCENT = re.compile(r"^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$")
LONGEST_INTERFACE = 15  # IFNAMSIZ without its final NUL
_INTERFACE = re.compile(r"^[A-Za-z0-9_@-][A-Za-z0-9_.:@-]{0,14}$")
_DEVICE = re.compile(r"^[A-Za-z0-9*?][A-Za-z0-9_*?-]{0,31}$")
_SYSCTL = re.compile(r"^[a-z0-9_]+(\.[A-Za-z0-9_:@-]+([/][A-Za-z0-9_:@-]+)*)+$")
_SYSCTL_VALUE = re.compile(r"^[A-Za-z0-9_.,:+-]+( [A-Za-z0-9_.,:+-]+)*$")
_MAX_RATE = 10**10  # kbit/s
_MAX_PACE = 34_359_738  # kbit/s, the most that fq's 32 bits of bytes per second hold
_MAX_SIZE = 2**63 - 1
_MAX_SECONDS = 10.0**9


def shown(value: Any) -> str:
    """A value as people wrote it, for a message: short, and in YAML's words rather than Python's."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:60]}…`"


def parse_size(value: Any) -> int:
    """Bytes of `64GiB`, `1.5GB`, `512MiB` or a plain number of bytes. KiB is 1024, KB is 1000."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{shown(value)} is not a size; write a number of bytes, or with a unit such as 64GiB, 500MB")
    match = _SIZE.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{shown(value)} is not a size; write {size_meant(str(value)) or 'a number and a unit such as 64GiB, 500MB'}")
    size = int(Decimal(match[1]) * _SIZE_UNIT[match[2] or ""])
    if size > _MAX_SIZE:
        raise ValueError(f"{shown(value)} is more than any machine has")
    return size


def parse_memory(value: Any) -> int | None:
    """Like a size, but `null`, `false` and `0` mean no limit (as Janus profiles write it)."""
    if value is None or value is False or value == 0:
        return None
    return parse_size(value)


def parse_duration(value: Any) -> float:
    """Seconds of `30s`, `1.5m`, `2h`, `500ms`, `1d` or a plain number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MAX_SECONDS:
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        meant = duration_meant(value) if isinstance(value, str) else ""
        raise ValueError(f"{shown(value)} is not a duration; write {meant or 'a number and a unit such as 30s, 5m, 2h'}")
    return float(match[1]) * _DURATION_UNIT[match[2]]


def parse_rate(value: Any) -> int:
    """kbit/s of `500mbit`, `1.5gbit`, `64kbit`: tc's words, a thousand each."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        bits = " (in tc's words, `mbps` would be megabytes)" if isinstance(value, str) and "bp" in value.lower() else ""
        meant = rate_meant(value) if isinstance(value, str) else ""
        raise ValueError(f"{shown(value)} is not a rate{bits}; write {meant or 'a number and kbit, mbit, gbit or tbit, such as 500mbit'}")
    rate = Decimal(match[1]) * _RATE_UNIT[match[2]]
    if rate % 1 or not 1 <= rate <= _MAX_RATE:
        raise ValueError(f"{shown(value)} is not a whole number of kbit from 1kbit to 10tbit")
    return int(rate)


def parse_pace(value: Any) -> int:
    """Like a rate, as far as the kernel can pace a flow."""
    rate = parse_rate(value)
    if rate > _MAX_PACE:
        raise ValueError(f"{shown(value)} is more than the kernel can pace a flow to, which is {show_rate(_MAX_PACE)}")
    return rate


def show_rate(rate: int) -> str:
    """`500mbit`, or `64kbit` where it is no whole number of mbit: the form in which the agent reports rates."""
    return f"{rate // 1000}mbit" if rate % 1000 == 0 else f"{rate}kbit"


def parse_percent(value: Any) -> float:
    """Percent of `1%`, `0.05%`."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{shown(value)} is not a share; write for example 1% or 0.05%")
    return float(match[1])


def parse_moment(value: Any) -> datetime:
    """A point in time with its zone: `2026-12-01T00:00:00Z`."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise ValueError(f"{shown(value)} is not a point in time; write for example 2026-12-01T00:00:00Z")
    if moment.tzinfo is None:
        given = moment.strftime("%Y-%m-%dT%H:%M:%S")
        raise ValueError(f"{shown(value)} has no time zone; write {given}Z, which is UTC, or another zone as +02:00")
    return moment


def parse_port_range(value: Any) -> tuple[int, int]:
    """`[low, high]` or `low-high`, both included, 1 to 65535. A single number is a range of one."""
    text = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    if isinstance(text, str):
        value = ports_meant(text) or value
    bounds = [value, value] if isinstance(value, int) and not isinstance(value, bool) else value
    if (
        not isinstance(bounds, (list, tuple))
        or len(bounds) != 2
        or any(isinstance(bound, bool) or not isinstance(bound, int) for bound in bounds)
    ):
        raise ValueError(f"{shown(value)} is not a port range; write [low, high], two numbers, both included")
    low, high = bounds
    if not (1 <= low <= 65535 and 1 <= high <= 65535):
        raise ValueError(f"{shown(value)} is beyond the ports, which go from 1 to 65535")
    if low > high:
        raise ValueError(f"the range is backward: {low} is above {high}; write [{high}, {low}]")
    return low, high


def parse_exposed_port(value: Any) -> tuple[int, int, str]:
    """(low, high, protocol) of `8080`, `8080/udp`, `5000-5010/tcp`; published 1:1 on the endpoint."""
    if isinstance(value, (tuple, list)) and len(value) == 3:
        value = f"{value[0]}-{value[1]}/{value[2]}"
    match = _PORT.fullmatch(str(value)) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a port; write 8080, 8080/udp or 5000-5010/tcp")
    low, high = parse_port_range([int(match[1]), int(match[2])] if match[2] else int(match[1]))
    return low, high, match[3] or "tcp"


def parse_arguments(value: Any) -> tuple[str, ...]:
    """A command line: a list of words, or one text that is split the way a shell does."""
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value))
        except ValueError:
            raise ValueError(f"{shown(value)} has a quote that is never closed") from None
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise ValueError(f"{shown(value)} is not a command; write text, or a list of words in quotes")


def parse_address_pool(value: Any) -> tuple[tuple[str, str], ...]:
    """((first, last), …) of `10.0.0.64-10.0.0.95`, a single address, or a list of both."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not items:
        raise ValueError(f"{shown(value)} is not an address pool; write FIRST-LAST, an address, or a list of them")
    return tuple(_address_span(item) for item in items)


def _address_span(item: Any) -> tuple[str, str]:
    if isinstance(item, (tuple, list)) and len(item) == 2:
        item = f"{item[0]}-{item[1]}"
    if not isinstance(item, str):
        raise ValueError(f"{shown(item)} is not an address or FIRST-LAST")
    first_text, _, last_text = item.partition("-")
    try:
        first = ipaddress.ip_address(first_text.strip())
        last = ipaddress.ip_address((last_text or first_text).strip())
    except ValueError:
        meant = span_meant(item)
        raise ValueError(f"{shown(item)} is not an address or FIRST-LAST{meant and f'; write {meant}'}") from None
    if first.version != last.version:
        raise ValueError(f"{shown(item)} mixes IPv4 and IPv6")
    if int(first) > int(last):
        raise ValueError(f"the range is backward: {first} is above {last}")
    return str(first), str(last)


def check_name(value: str) -> str:
    """The value, if an object may have it as its name."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a name; write letters, digits, - and _, at most 40 characters, a letter or digit first")
    return value


def _check_repository_id(value: str) -> str:
    if not _REPOSITORY_ID.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a repository's id; write 12 of the digits 0-9 and a-f, as `dtnctl init` does")
    return value


def _check_cpu_list(value: str) -> str:
    if not _CPU_LIST.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a CPU list; write for example 0-3,8")
    return value


def _check_reserved(value: str) -> str:
    if value != "irq" and not _CPU_LIST.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a CPU list; write for example 0-1, or irq")
    return value


def _check_cpu_list_or_local(value: str) -> str:
    """A list in the kernel's own form, so that equal lists are equal texts."""
    if value == "local":
        return value
    cpus = cpu_numbers(_check_cpu_list(value))
    if not cpus:
        raise ValueError(f"{shown(value)} has no CPU in it: write the lower number first")
    return cpu_text(cpus)


def _check_interface(value: str) -> str:
    if not _INTERFACE.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a network interface")
    return value


def _check_device(value: str) -> str:
    if not _DEVICE.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a block device, or a pattern; write for example nvme0n1 or nvme*n1")
    return value


def _check_sysctl(value: str) -> str:
    from dtn_agent.protocol.tuning import TUNABLE_SYSCTLS

    if not _SYSCTL.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a sysctl; write for example net.ipv4.tcp_rmem")
    if not any(fnmatchcase(value, pattern) for pattern in TUNABLE_SYSCTLS):
        raise ValueError(f"{shown(value)} is none of the sysctls that the agent sets: {', '.join(TUNABLE_SYSCTLS)}")
    return value


def _check_sysctl_value(value: str | int) -> str:
    """One form for one meaning: the kernel separates numbers by tabs, people by spaces."""
    text = re.sub(r"[ \t]+", " ", str(value).strip(" \t"))
    if not _SYSCTL_VALUE.fullmatch(text):
        raise ValueError(f"{shown(value)} is not a value of a sysctl; write numbers or words, such as 4096 87380 1073741824")
    return text


def _check_share(value: int | str) -> int | str:
    text = str(value)
    digits = text.removesuffix("%")
    if not _COUNT.fullmatch(digits) or (text.endswith("%") and int(digits) > 100):
        raise ValueError(f"{shown(value)} is neither a number nor a share such as 25%")
    return value


def _check_distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((item for index, item in enumerate(value) if item in value[:index]), None)
    if twice is not None:
        raise ValueError(f"{shown(twice)} is named twice")
    return value


def _ports_from_one(value: Any) -> Any:
    return [value] if isinstance(value, (int, str)) and not isinstance(value, bool) else value


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_PORT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": 65535}
_SIZE_FORMS: list[dict[str, Any]] = [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _SIZE.pattern}]

_EXPOSED_FORMS: list[dict[str, Any]] = [_PORT_SCHEMA, {"type": "string", "pattern": _PORT.pattern}]


@dataclass(frozen=True, slots=True, eq=False)  # by identity: annotations are hashed
class OrShort:
    """Shows editors that a field has a short form beside the long one (a `BeforeValidator` reads it)."""

    short: Mapping[str, Any]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [dict(self.short), handler(schema)]}


def described(name: str, schema: dict[str, Any]) -> WithJsonSchema:
    """What editors check. The comment is the type's name for people; docs/state-reference.md shows it."""
    return WithJsonSchema({**schema, "$comment": name})


Name = Annotated[str, AfterValidator(check_name), described("name", {"type": "string", "pattern": _NAME.pattern})]
RepositoryId = Annotated[
    str, AfterValidator(_check_repository_id), described("repository's id", {"type": "string", "pattern": _REPOSITORY_ID.pattern})
]
Size = Annotated[int, BeforeValidator(parse_size), described("size", {"anyOf": _SIZE_FORMS})]
Memory = Annotated[
    int | None,
    BeforeValidator(parse_memory),
    described("size, `false` or `null`", {"anyOf": [*_SIZE_FORMS, {"enum": [None, False]}]}),
]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    described(
        "duration",
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": _MAX_SECONDS}, {"type": "string", "pattern": _DURATION.pattern}]},
    ),
]
Moment = Annotated[datetime, BeforeValidator(parse_moment), described("time with zone", {"type": "string", "format": "date-time"})]
Port = Annotated[int, Field(ge=1, le=65535)]
PortRange = Annotated[
    tuple[int, int],
    BeforeValidator(parse_port_range),
    described(
        "`[low, high]` or a port",
        {
            "anyOf": [
                _PORT_SCHEMA,
                {"type": "string", "pattern": "[0-9]"},
                {"type": "array", "items": _PORT_SCHEMA, "minItems": 2, "maxItems": 2},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1},
            ]
        },
    ),
]
ExposedPort = Annotated[
    tuple[int, int, str],
    BeforeValidator(parse_exposed_port),
    described("ports", {"anyOf": _EXPOSED_FORMS}),
]
ExposedPorts = Annotated[
    tuple[ExposedPort, ...], BeforeValidator(_ports_from_one), Field(strict=False), OrShort({"anyOf": _EXPOSED_FORMS, "$comment": "ports"})
]
AddressPool = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(parse_address_pool),
    described("FIRST-LAST or list", {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
CpuList = Annotated[str, AfterValidator(_check_cpu_list), described("list of numbers", {"type": "string", "pattern": _CPU_LIST.pattern})]
ReservedCpus = Annotated[
    str,
    AfterValidator(_check_reserved),
    described("list of numbers, or irq", {"type": "string", "pattern": f"^irq$|{_CPU_LIST.pattern}"}),
]
CpuListOrLocal = Annotated[
    str,
    AfterValidator(_check_cpu_list_or_local),
    described("`local` or list of numbers", {"anyOf": [{"const": "local"}, {"type": "string", "pattern": _CPU_LIST.pattern}]}),
]
Rate = Annotated[int, BeforeValidator(parse_rate), described("rate", {"type": "string", "pattern": _RATE.pattern})]
Pace = Annotated[int, BeforeValidator(parse_pace), described("rate", {"type": "string", "pattern": _RATE.pattern})]
Percent = Annotated[float, BeforeValidator(parse_percent), described("share", {"type": "string", "pattern": _PERCENT.pattern})]
InterfaceName = Annotated[str, AfterValidator(_check_interface), described("interface", {"type": "string", "pattern": _INTERFACE.pattern})]
DeviceName = Annotated[str, AfterValidator(_check_device), described("device or pattern", {"type": "string", "pattern": _DEVICE.pattern})]
SysctlName = Annotated[str, AfterValidator(_check_sysctl), described("sysctl", {"type": "string", "pattern": _SYSCTL.pattern})]
SysctlValue = Annotated[str | int, AfterValidator(_check_sysctl_value), described("text or whole number", {"type": ["string", "integer"]})]
CountOrShare = Annotated[
    int | str,
    AfterValidator(_check_share),
    described(
        "number or share",
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^([0-9]{1,9}|([0-9]{1,2}|100)%)$"}]},
    ),
]
Distinct = Annotated[
    tuple[str, ...],
    Field(strict=False, min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_check_distinct),
]
OneOrMany = BeforeValidator(_one_or_many)
