"""Rules of kernel settings: the host's own, and those that each network namespace has for itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.examined import Examined, LiveService
from dtnctl.planning.doctor.judging import Fix, judge, tuning
from dtnctl.planning.doctor.numbers import FAST, Needs, last_number, needs_of

MOST_CONNECTIONS = 0.8  # of those that can be tracked
EARLY_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One sysctl: either the last of its numbers is `at_least` what the NIC's speed asks for, or it is one of `accepted`, best first.

    Of the three numbers of a TCP buffer the last is the largest. `before` is what to write before that number.
    `from_speed` is the NIC's speed in Mb/s from which it matters.
    """

    check: str
    name: str
    accepted: tuple[str, ...] = ()
    at_least: Callable[[Needs], int] | None = None
    before: str = ""
    from_speed: int = 0


def _socket_buffer(needs: Needs) -> int:
    return needs.socket_buffer


def _tcp_buffer(needs: Needs) -> int:
    return needs.tcp_buffer


def _backlog(needs: Needs) -> int:
    return needs.backlog


OF_THE_HOST = (
    Setting("net.rmem_max", "net.core.rmem_max", at_least=_socket_buffer),
    Setting("net.wmem_max", "net.core.wmem_max", at_least=_socket_buffer),
    Setting("net.optmem_max", "net.core.optmem_max", at_least=lambda _: 2**20, from_speed=FAST),
    Setting("net.netdev_max_backlog", "net.core.netdev_max_backlog", at_least=_backlog),
    Setting("net.default_qdisc", "net.core.default_qdisc", ("fq",)),
    Setting("host.zone_reclaim", "vm.zone_reclaim_mode", ("0",)),
    Setting("host.numa_balancing", "kernel.numa_balancing", ("0",)),
)
# Each network namespace has its own of these.
OF_A_NAMESPACE = (
    Setting("tcp_rmem", "net.ipv4.tcp_rmem", at_least=_tcp_buffer, before="4096 131072 "),
    Setting("tcp_wmem", "net.ipv4.tcp_wmem", at_least=_tcp_buffer, before="4096 65536 "),
    Setting("tcp_mtu_probing", "net.ipv4.tcp_mtu_probing", ("1", "2")),
    Setting("tcp_no_metrics_save", "net.ipv4.tcp_no_metrics_save", ("1",)),
    Setting("tcp_slow_start_after_idle", "net.ipv4.tcp_slow_start_after_idle", ("0",)),
    Setting("tcp_timestamps", "net.ipv4.tcp_timestamps", ("1", "2")),
    Setting("tcp_sack", "net.ipv4.tcp_sack", ("1",)),
    Setting("tcp_window_scaling", "net.ipv4.tcp_window_scaling", ("1",)),
    Setting("congestion_control", "net.ipv4.tcp_congestion_control", ("cubic", "bbr", "htcp")),
)


def judge_host_settings(examined: Examined) -> Iterator[Finding]:
    """The host's own settings, with those of its own network namespace."""
    sysctls = examined.facts.sysctls
    for setting in OF_THE_HOST:
        yield from _judged(setting, setting.check, "", sysctls, examined, examined.place, tuning)
    for setting in OF_A_NAMESPACE:
        yield from _judged(setting, f"net.{setting.check}", "", sysctls, examined, examined.place, tuning)
    yield _conntrack(examined)
    yield _dirty_background(examined)


def judge_container_settings(examined: Examined) -> Iterator[Finding]:
    """What the network namespaces of services have for themselves; on the host's network it is the host's."""
    for live in examined.live:
        if not live.is_host_networked:
            yield from _of_container(live, examined)


def _of_container(live: LiveService, examined: Examined) -> Iterator[Finding]:
    sysctls = live.net.sysctls if live.net is not None else {}
    for setting in OF_A_NAMESPACE:
        place = live.service.place("sysctls", setting.name)
        yield from _judged(setting, f"container.{setting.check}", live.name, sysctls, examined, place, _in_profile)


def _in_profile(key: str, value: object) -> str:
    """The fix in a container: what to write into the profile."""
    return f'sysctls: {{{key.partition("/")[2]}: "{value}"}} in its profile'


def _judged(
    setting: Setting,
    check: str,
    subject: str,
    sysctls: Mapping[str, str],
    examined: Examined,
    place: str,
    fix: Callable[[str, object], str | Fix],
) -> Iterator[Finding]:
    speed, actual = examined.speed, " ".join(sysctls.get(setting.name, "").split())  # the kernel writes tabs
    if setting.from_speed and (speed is None or speed < setting.from_speed):
        return
    if setting.at_least is None:
        wanted, said = setting.accepted[0], " or ".join(setting.accepted)
        is_right = actual in setting.accepted if actual else None
    else:
        least, number = setting.at_least(needs_of(speed or 0)), last_number(actual)
        wanted, said = f"{setting.before}{least}", f"at least {least}"
        is_right = None if number is None or speed is None else number >= least
    yield judge(
        check,
        subject,
        is_right,
        expected=f"{setting.name} {said}",
        actual=actual,
        fix=fix(f"sysctl/{setting.name}", wanted),
        place=place,
    )


def _conntrack(examined: Examined) -> Finding:
    count, most = (last_number(examined.facts.sysctls.get(f"net.netfilter.nf_conntrack_{word}", "")) for word in ("count", "max"))
    return judge(
        "net.conntrack",
        "",
        None if count is None or not most else count < MOST_CONNECTIONS * most,
        expected=f"fewer than {int(MOST_CONNECTIONS * (most or 0))} tracked connections",
        actual=f"{count} of {most}",
        fix=tuning("sysctl/net.netfilter.nf_conntrack_max", 4 * (most or 0)),
        place=examined.place,
    )


def _dirty_background(examined: Examined) -> Finding:
    size, percent = (last_number(examined.facts.sysctls.get(f"vm.dirty_background_{word}", "")) for word in ("bytes", "ratio"))
    is_known = bool(size) or percent is not None
    return judge(
        "host.dirty_background",
        "",
        bool(size) or (percent or 0) <= EARLY_PERCENT if is_known else None,
        expected=f"vm.dirty_background_bytes set, or vm.dirty_background_ratio at most {EARLY_PERCENT}",
        actual=f"{size} bytes" if size else f"{percent} %",
        fix=tuning("sysctl/vm.dirty_background_bytes", 2**30),
        place=examined.place,
    )
