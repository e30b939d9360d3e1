"""Rules of kernel settings: the host's own, and those that each network namespace has for itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.ground import Ground, LiveService
from dtnctl.planning.doctor.judging import judge, tuning
from dtnctl.planning.doctor.numbers import FAST, Needs, last_number, needs_of

GOOD_CONGESTION_CONTROLS = ("cubic", "bbr", "htcp")
MOST_CONNECTIONS = 0.8  # of those that can be tracked
EARLY_PERCENT = 5

Wanted = Callable[[Needs], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One sysctl. `wanted` is what to write; `accepts(wanted, actual)` is None where the actual value cannot be read.

    `from_speed` is the NIC's speed in Mb/s from which it matters. Without `by_speed` the wanted value is always the same.
    """

    check: str
    name: str
    wanted: Wanted
    accepts: Callable[[str, str], bool | None]
    by_speed: bool = False
    from_speed: int = 0


def at_least(wanted: str, actual: str) -> bool | None:
    """Whether the last number is large enough: of three values of a TCP buffer that is the largest."""
    number = last_number(actual)
    return None if number is None else number >= int(wanted.split()[-1])


def one_of(*accepted: str) -> Callable[[str, str], bool | None]:
    """Whether it is one of the values."""
    return lambda _wanted, actual: actual.strip() in accepted if actual.strip() else None


def always(value: str) -> Wanted:
    return lambda _needs: value


def _socket_buffer(needs: Needs) -> str:
    return str(needs.socket_buffer)


def _receive_buffer(needs: Needs) -> str:
    return f"4096 131072 {needs.tcp_buffer}"


def _send_buffer(needs: Needs) -> str:
    return f"4096 65536 {needs.tcp_buffer}"


def _backlog(needs: Needs) -> str:
    return str(needs.backlog)


# Those of the second table exist once in every network namespace.
OF_THE_HOST = (
    Setting("net.rmem_max", "net.core.rmem_max", _socket_buffer, at_least, by_speed=True),
    Setting("net.wmem_max", "net.core.wmem_max", _socket_buffer, at_least, by_speed=True),
    Setting("net.optmem_max", "net.core.optmem_max", always(str(2**20)), at_least, from_speed=FAST),
    Setting("net.netdev_max_backlog", "net.core.netdev_max_backlog", _backlog, at_least, by_speed=True),
    Setting("net.default_qdisc", "net.core.default_qdisc", always("fq"), one_of("fq")),
    Setting("host.zone_reclaim", "vm.zone_reclaim_mode", always("0"), one_of("0")),
    Setting("host.numa_balancing", "kernel.numa_balancing", always("0"), one_of("0")),
)
OF_A_NAMESPACE = (
    Setting("tcp_rmem", "net.ipv4.tcp_rmem", _receive_buffer, at_least, by_speed=True),
    Setting("tcp_wmem", "net.ipv4.tcp_wmem", _send_buffer, at_least, by_speed=True),
    Setting("tcp_mtu_probing", "net.ipv4.tcp_mtu_probing", always("1"), one_of("1", "2")),
    Setting("tcp_no_metrics_save", "net.ipv4.tcp_no_metrics_save", always("1"), one_of("1")),
    Setting("tcp_slow_start_after_idle", "net.ipv4.tcp_slow_start_after_idle", always("0"), one_of("0")),
    Setting("tcp_timestamps", "net.ipv4.tcp_timestamps", always("1"), one_of("1", "2")),
    Setting("tcp_sack", "net.ipv4.tcp_sack", always("1"), one_of("1")),
    Setting("tcp_window_scaling", "net.ipv4.tcp_window_scaling", always("1"), one_of("1")),
    Setting("congestion_control", "net.ipv4.tcp_congestion_control", always("cubic"), one_of(*GOOD_CONGESTION_CONTROLS)),
)


def judge_host_settings(ground: Ground) -> Iterator[Finding]:
    """The host's own settings, with those of its own network namespace."""
    sysctls = ground.facts.sysctls
    for setting in OF_THE_HOST:
        yield from _judged(setting, setting.check, "", sysctls, ground, ground.place, tuning)
    for setting in OF_A_NAMESPACE:
        yield from _judged(setting, f"net.{setting.check}", "", sysctls, ground, ground.place, tuning)
    yield _conntrack(ground)
    yield _dirty_background(ground)


def judge_container_settings(ground: Ground) -> Iterator[Finding]:
    """What the network namespaces of services have for themselves; on the host's network it is the host's."""
    for live in ground.live:
        if not live.is_host_networked:
            yield from _of_container(live, ground)


def _of_container(live: LiveService, ground: Ground) -> Iterator[Finding]:
    sysctls = live.net.sysctls if live.net is not None else {}
    for setting in OF_A_NAMESPACE:
        place = live.service.place("sysctls", setting.name)
        yield from _judged(setting, f"container.{setting.check}", live.name, sysctls, ground, place, _in_profile)


def _in_profile(key: str, value: object) -> str:
    """The fix in a container: what to write into the profile."""
    return f'sysctls: {{{key.partition("/")[2]}: "{value}"}} in its profile'


def _judged(
    setting: Setting,
    check: str,
    subject: str,
    sysctls: Mapping[str, str],
    ground: Ground,
    place: str,
    fix: Callable[[str, object], str],
) -> Iterator[Finding]:
    speed = ground.speed
    if setting.from_speed and (speed is None or speed < setting.from_speed):
        return
    wanted = setting.wanted(needs_of(speed or 0))
    actual = sysctls.get(setting.name)
    is_known = actual is not None and not (setting.by_speed and speed is None)
    yield judge(
        check,
        subject,
        setting.accepts(wanted, actual or "") if is_known else None,
        expected=f"{setting.name} {_said(setting, wanted)}",
        actual=" ".join((actual or "").split()),  # the kernel writes tabs
        fix=fix(f"sysctl/{setting.name}", wanted),
        place=place,
    )


def _said(setting: Setting, wanted: str) -> str:
    return f"at least {wanted.split()[-1]}" if setting.accepts is at_least else wanted


def _conntrack(ground: Ground) -> Finding:
    count, most = (last_number(ground.facts.sysctls.get(f"net.netfilter.nf_conntrack_{word}", "")) for word in ("count", "max"))
    return judge(
        "net.conntrack",
        "",
        None if count is None or not most else count < MOST_CONNECTIONS * most,
        expected=f"fewer than {int(MOST_CONNECTIONS * (most or 0))} tracked connections",
        actual=f"{count} of {most}",
        fix=tuning("sysctl/net.netfilter.nf_conntrack_max", 4 * (most or 0)),
        place=ground.place,
    )


def _dirty_background(ground: Ground) -> Finding:
    size, percent = (last_number(ground.facts.sysctls.get(f"vm.dirty_background_{word}", "")) for word in ("bytes", "ratio"))
    is_known = bool(size) or percent is not None
    return judge(
        "host.dirty_background",
        "",
        bool(size) or (percent or 0) <= EARLY_PERCENT if is_known else None,
        expected=f"vm.dirty_background_bytes set, or vm.dirty_background_ratio at most {EARLY_PERCENT}",
        actual=f"{size} bytes" if size else f"{percent} %",
        fix=tuning("sysctl/vm.dirty_background_bytes", 2**30),
        place=ground.place,
    )
