"""Sizes, durations, ports, addresses and names: what is read as what, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dtnctl.model import address_fields, fields
from dtnctl.model.fields import shown


@pytest.mark.parametrize(
    ("parse", "value", "meaning"),
    [
        (fields.parse_size, 0, 0),
        (fields.parse_size, 4096, 4096),
        (fields.parse_size, "512", 512),
        (fields.parse_size, "512B", 512),
        (fields.parse_size, "64GiB", 64 * 1024**3),
        (fields.parse_size, "1.5GB", 1_500_000_000),
        (fields.parse_size, "1 TiB", 1024**4),
        (fields.parse_size, "9007199254740993B", 9007199254740993),
        (fields.parse_memory, "8GiB", 8 * 1024**3),
        (fields.parse_memory, None, None),
        (fields.parse_memory, False, None),
        (fields.parse_memory, 0, None),
        (fields.parse_duration, 5, 5.0),
        (fields.parse_duration, 0.5, 0.5),
        (fields.parse_duration, "500ms", 0.5),
        (fields.parse_duration, "1.5m", 90.0),
        (fields.parse_duration, "2h", 7200.0),
        (fields.parse_duration, "1d", 86400.0),
        (fields.parse_rate, "64kbit", 64),
        (fields.parse_rate, "500mbit", 500_000),
        (fields.parse_rate, "1.5gbit", 1_500_000),
        (fields.parse_rate, "10tbit", 10_000_000_000),
        (fields.parse_pace, "34gbit", 34_000_000),
        (fields.show_rate, 500_000, "500mbit"),
        (fields.show_rate, 1_500, "1500kbit"),
        (fields.parse_percent, "1%", 1.0),
        (fields.parse_percent, "0.000001%", 0.000001),
        (fields.parse_percent, "100%", 100.0),
        (fields.parse_moment, "2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)),
        (fields.parse_moment, datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (fields.parse_port_range, [1, 65535], (1, 65535)),
        (fields.parse_port_range, (5, 5), (5, 5)),
        (fields.parse_port_range, 22, (22, 22)),
        (fields.parse_exposed_port, 8080, (8080, 8080, "tcp")),
        (fields.parse_exposed_port, "8080", (8080, 8080, "tcp")),
        (fields.parse_exposed_port, "4791/udp", (4791, 4791, "udp")),
        (fields.parse_exposed_port, "5000-5010/tcp", (5000, 5010, "tcp")),
        (fields.parse_exposed_port, (1, 2, "udp"), (1, 2, "udp")),
        (fields.parse_arguments, "sh -c 'echo a b'", ("sh", "-c", "echo a b")),
        (fields.parse_arguments, ["a b", "c"], ("a b", "c")),
        (fields.parse_address_pool, "10.0.0.5", (("10.0.0.5", "10.0.0.5"),)),
        (fields.parse_address_pool, "10.0.0.5 - 10.0.0.9", (("10.0.0.5", "10.0.0.9"),)),
        (fields.parse_address_pool, ["fd00::5-fd00::9", "fd00:0::1"], (("fd00::5", "fd00::9"), ("fd00::1", "fd00::1"))),
        (fields.parse_address_pool, (("10.0.0.5", "10.0.0.9"),), (("10.0.0.5", "10.0.0.9"),)),
    ],
)
def test_value_has_one_meaning(parse: Callable[[Any], Any], value: Any, meaning: Any) -> None:
    assert parse(value) == meaning


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (fields.parse_size, True, "`true` is not a size; write a number of bytes, or with a unit such as 64GiB, 500MB"),
        (fields.parse_size, None, "`null` is not a size; write a number of bytes, or with a unit such as 64GiB, 500MB"),
        (fields.parse_size, "64 GIB", "`64 GIB` is not a size; write a number and a unit such as 64GiB, 500MB"),
        (fields.parse_size, "٣GiB", "`٣GiB` is not a size; write a number and a unit such as 64GiB, 500MB"),
        (fields.parse_size, "9" * 400, f"`{'9' * 60}…` is not a size; write a number and a unit such as 64GiB, 500MB"),
        (fields.parse_size, "999999999TiB", "`999999999TiB` is more than any machine has"),
        (fields.parse_duration, -1, "`-1` is not a duration; write a number and a unit such as 30s, 5m, 2h"),
        (fields.parse_duration, 1e300, "`1e+300` is not a duration; write a number and a unit such as 30s, 5m, 2h"),
        (fields.parse_duration, True, "`true` is not a duration; write a number and a unit such as 30s, 5m, 2h"),
        (fields.parse_duration, "30s\n", "`30s\n` is not a duration; write a number and a unit such as 30s, 5m, 2h"),
        (fields.parse_rate, 500, "`500` is not a rate; write a number and kbit, mbit, gbit or tbit, such as 500mbit"),
        (fields.parse_rate, "500 mbit", "`500 mbit` is not a rate; write 500mbit"),
        (
            fields.parse_rate,
            "500mbps",
            "`500mbps` is not a rate (in tc's words, `mbps` would be megabytes)"
            "; write a number and kbit, mbit, gbit or tbit, such as 500mbit",
        ),
        (fields.parse_rate, "0.5kbit", "`0.5kbit` is not a whole number of kbit from 1kbit to 10tbit"),
        (fields.parse_rate, "0mbit", "`0mbit` is not a whole number of kbit from 1kbit to 10tbit"),
        (fields.parse_rate, "11tbit", "`11tbit` is not a whole number of kbit from 1kbit to 10tbit"),
        (fields.parse_pace, "35gbit", "`35gbit` is more than the kernel can pace a flow to, which is 34359738kbit"),
        (fields.parse_percent, 1, "`1` is not a share; write for example 1% or 0.05%"),
        (fields.parse_percent, "101%", "`101%` is not a share; write for example 1% or 0.05%"),
        (fields.parse_moment, None, "`null` is not a point in time; write for example 2026-12-01T00:00:00Z"),
        (fields.parse_moment, "2026-13-01", "`2026-13-01` is not a point in time; write for example 2026-12-01T00:00:00Z"),
        (
            fields.parse_moment,
            "2026-12-01",
            "`2026-12-01` has no time zone; write 2026-12-01T00:00:00Z, which is UTC, or another zone as +02:00",
        ),
        (fields.parse_port_range, [1], "`[1]` is not a port range; write [low, high], two numbers, both included"),
        (fields.parse_port_range, [True, 2], "`[true, 2]` is not a port range; write [low, high], two numbers, both included"),
        (fields.parse_port_range, True, "`true` is not a port range; write [low, high], two numbers, both included"),
        (fields.parse_port_range, [0, 5], "`[0, 5]` is beyond the ports, which go from 1 to 65535"),
        (fields.parse_port_range, [5, 1], "the range is backward: 5 is above 1; write [1, 5]"),
        (fields.parse_exposed_port, "8080/sctp", "`8080/sctp` is not a port; write 8080, 8080/udp or 5000-5010/tcp"),
        (fields.parse_exposed_port, True, "`true` is not a port; write 8080, 8080/udp or 5000-5010/tcp"),
        (fields.parse_exposed_port, "70000", "`70000` is beyond the ports, which go from 1 to 65535"),
        (fields.parse_arguments, "echo 'x", "`echo 'x` has a quote that is never closed"),
        (fields.parse_arguments, ["a", 1], '`["a", 1]` is not a command; write text, or a list of words in quotes'),
        (fields.parse_address_pool, [], "`[]` is not an address pool; write FIRST-LAST, an address, or a list of them"),
        (fields.parse_address_pool, 5, "`5` is not an address pool; write FIRST-LAST, an address, or a list of them"),
        (fields.parse_address_pool, [5], "`5` is not an address or FIRST-LAST"),
        (fields.parse_address_pool, "10.0.0.1-x", "`10.0.0.1-x` is not an address or FIRST-LAST"),
        (fields.parse_address_pool, "10.0.0.1-fd00::1", "`10.0.0.1-fd00::1` mixes IPv4 and IPv6"),
        (fields.parse_address_pool, "10.0.0.9-10.0.0.1", "the range is backward: 10.0.0.9 is above 10.0.0.1"),
        (fields.check_name, "", "`` is not a name; write letters, digits, - and _, at most 40 characters, a letter or digit first"),
        (fields.check_name, "-x", "`-x` is not a name; write letters, digits, - and _, at most 40 characters, a letter or digit first"),
        (fields.check_name, "x\n", "`x\n` is not a name; write letters, digits, - and _, at most 40 characters, a letter or digit first"),
        (
            fields.check_name,
            "x" * 41,
            f"`{'x' * 41}` is not a name; write letters, digits, - and _, at most 40 characters, a letter or digit first",
        ),
    ],
)
def test_other_values_are_refused_in_a_sentence(parse: Callable[[Any], Any], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse(value)


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        (address_fields.IPv4, "10.0.0.1", "10.0.0.1"),
        (address_fields.IPv6, "FD00:0:0::1", "fd00::1"),
        (address_fields.IP, "10.0.0.1", "10.0.0.1"),
        (address_fields.IP, "fd00::0:1", "fd00::1"),
        (address_fields.Subnet4, "10.0.0.0/255.255.255.0", "10.0.0.0/24"),
        (address_fields.Subnet6, "fd00:0::/64", "fd00::/64"),
        (fields.CpuList, "0-3,8", "0-3,8"),
        (fields.CpuListOrLocal, "local", "local"),
        (fields.CpuListOrLocal, "8,2-3,0-1", "0-3,8"),
        (fields.InterfaceName, "ens1f0.222", "ens1f0.222"),
        (fields.DeviceName, "nvme*n1", "nvme*n1"),
        (fields.SysctlName, "net.ipv4.conf.eth0/222.rp_filter", "net.ipv4.conf.eth0/222.rp_filter"),
        (fields.SysctlValue, "4096\t87380  1073741824", "4096 87380 1073741824"),
        (fields.SysctlValue, 1, "1"),
        (fields.ReservedCpus, "0-1", "0-1"),
        (fields.ReservedCpus, "irq", "irq"),
        (fields.CountOrShare, 3, 3),
        (fields.CountOrShare, "100%", "100%"),
        (fields.Distinct, ["a", "b"], ("a", "b")),
        (fields.ExposedPorts, 80, ((80, 80, "tcp"),)),
        (fields.ExposedPorts, ["80", 81], ((80, 80, "tcp"), (81, 81, "tcp"))),
    ],
)
def test_type_keeps_the_canonical_form(kind: Any, value: Any, canonical: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == canonical


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (address_fields.IPv4, "10.0.0.256", "`10.0.0.256` is not an IPv4 address"),
        (address_fields.IPv6, "fe80::1%eth0", "`fe80::1%eth0` is not an IPv6 address"),
        (address_fields.IPv6, "10.0.0.1", "`10.0.0.1` is not an IPv6 address"),
        (address_fields.IP, "localhost", "`localhost` is not an IP address"),
        (address_fields.Subnet4, "x/24", "`x/24` is not an IPv4 subnet; write for example 192.168.2.0/24"),
        (address_fields.Subnet4, "10.0.0.0", "`10.0.0.0` has no prefix length; write for example 192.168.2.0/24"),
        (address_fields.Subnet4, "10.0.0.1/24", "`10.0.0.1/24` is an address in a subnet; the subnet is 10.0.0.0/24"),
        (address_fields.Subnet6, "10.0.0.0/24", "`10.0.0.0/24` is not an IPv6 subnet; write for example fd00:2::/64"),
        (fields.CpuList, "3-", "`3-` is not a CPU list; write for example 0-3,8"),
        (fields.CpuListOrLocal, "near", "`near` is not a CPU list; write for example 0-3,8"),
        (fields.CpuListOrLocal, "3-1", "`3-1` has no CPU in it: write the lower number first"),
        (fields.InterfaceName, "../x", "`../x` is not the name of a network interface"),
        (fields.InterfaceName, "..", "`..` is not the name of a network interface"),
        (
            fields.DeviceName,
            "../x",
            "`../x` is not the name of a block device, or a pattern; write for example nvme0n1 or nvme*n1",
        ),
        (fields.SysctlName, "net..x", "`net..x` is not the name of a sysctl; write for example net.ipv4.tcp_rmem"),
        (
            fields.SysctlName,
            "net.ipv4.conf.../..",
            "`net.ipv4.conf.../..` is not the name of a sysctl; write for example net.ipv4.tcp_rmem",
        ),
        (fields.SysctlValue, "1\n2", "`1\n2` is not a value of a sysctl; write numbers or words, such as 4096 87380 1073741824"),
        (fields.SysctlValue, "1\n;", "`1\n;` is not a value of a sysctl; write numbers or words, such as 4096 87380 1073741824"),
        (fields.ReservedCpus, "all", "`all` is not a CPU list; write for example 0-1, or irq"),
        (fields.CountOrShare, "101%", "`101%` is neither a number nor a share such as 25%"),
        (fields.CountOrShare, -1, "`-1` is neither a number nor a share such as 25%"),
        (fields.Distinct, ["a", "b", "a"], "`a` is named twice"),
    ],
)
def test_type_refuses_other_values_in_a_sentence(kind: Any, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert caught.value.errors()[-1]["msg"] == f"Value error, {message}"


def test_sysctls_that_would_run_programs_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"`kernel.core_pattern` is none of the sysctls that the agent sets: fs.aio-max-nr, .*"):
        TypeAdapter(fields.SysctlName).validate_python("kernel.core_pattern")


def test_values_are_shown_short_and_in_the_words_of_yaml() -> None:
    assert [shown(value) for value in ("é", None, True, [1, "x"], {"a": None})] == [
        "`é`",
        "`null`",
        "`true`",
        '`[1, "x"]`',
        '`{"a": null}`',
    ]
    assert shown("x" * 61) == f"`{'x' * 60}…`"
