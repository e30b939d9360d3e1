"""Requests for settings of a host made of files, as tests ask for them."""

from __future__ import annotations

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.protocol.tuning import Tune, Untune

from tests.agent.tuning.tuned_host import TunedHost

PROBING = "proc/sys/net/ipv4/tcp_mtu_probing"
PROBING_KEY = "sysctl/net.ipv4.tcp_mtu_probing"
SCHEDULER, REQUESTS = "block/nvme0n1/scheduler", "block/nvme0n1/nr_requests"
GOVERNOR = "sys/devices/system/cpu/cpufreq/policy{}/scaling_governor"


def tune(host: TunedHost, key: str, value: str, site: str = "scinet") -> bool:
    return host.tuning.tune(Tune(site=site, key=key, value=value)).changed


def untune(host: TunedHost, key: str, site: str = "scinet") -> bool:
    return host.tuning.untune(Untune(site=site, key=key)).changed


def read(host: TunedHost, key: str) -> str | None:
    return host.tuning.read([key])[key]


def refusal(host: TunedHost, key: str, value: str) -> str:
    with pytest.raises(RefusedError) as caught:
        tune(host, key, value)
    return f"{caught.value.code}: {caught.value}"


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def affinities(host: TunedHost) -> list[str]:
    return [host.text(f"proc/irq/{number}/smp_affinity_list") for number in (40, 41, 42)]
