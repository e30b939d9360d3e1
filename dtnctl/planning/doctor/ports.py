"""Rule of ports: what a service is to listen at on the host must not be what the kernel gives to outgoing connections. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.examined import Examined
from dtnctl.planning.doctor.judging import judge, tuning
from dtnctl.planning.doctor.numbers import cpu_list as port_list  # the kernel writes ports as it writes CPUs
from dtnctl.planning.doctor.numbers import cpu_set as port_set
from dtnctl.planning.resolve import Service

GIVEN, RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"


def judge_ports(examined: Examined) -> Iterator[Finding]:
    """One finding for the host, at the first declaration that makes it matter; nothing where no service uses the host's ports."""
    declared = [item for service in examined.services if service.uses_host_ports for item in _declared(service)]
    if not declared:
        return
    given, reserved = _given(examined.facts.sysctls), port_set(examined.facts.sysctls.get(RESERVED, ""))
    wanted = frozenset().union(*(ports for ports, _ in declared))
    taken = wanted & given - reserved
    first = next((place for ports, place in declared if ports & taken), declared[0][1])
    yield judge(
        "host.reserved_ports",
        "",
        not taken if given else None,
        expected=f"services' ports {port_list(wanted)} outside {port_list(given) or GIVEN}, or in {RESERVED}",
        actual=f"{port_list(taken)} can be taken by an outgoing connection" if taken else "no such port can be taken",
        fix=tuning(f"sysctl/{RESERVED}", f'"{port_list(reserved | taken)}"'),
        place=first,
    )


def _declared(service: Service) -> Iterator[tuple[frozenset[int], str]]:
    """The ports of each of its fields, with the place of that field."""
    profile = service.profile
    for field, bounds in (("ctrl_port_range", profile.ctrl_port_range), ("serv_port_range", profile.serv_port_range)):
        if bounds is not None:
            yield _ports(*bounds), service.place(field)
    for low, high, _, field in service.published:
        yield _ports(low, high), service.place(field)


def _ports(low: int, high: int) -> frozenset[int]:
    return frozenset(range(low, high + 1))


def _given(sysctls: dict[str, str]) -> frozenset[int]:
    """Ports that the kernel gives to outgoing connections; empty if they are not known."""
    bounds = sysctls.get(GIVEN, "").split()
    return _ports(int(bounds[0]), int(bounds[1])) if len(bounds) == 2 and all(bound.isdecimal() for bound in bounds) else frozenset()
