"""What is read of a host made of files is what was set there."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.tuning.irqbalance import Systemd

from tests.agent.tuning.asking import GOVERNOR, affinities, read, refusal, tune, untune
from tests.agent.tuning.tuned_host import TunedHost


def test_tabs_are_spaces(host: TunedHost) -> None:
    assert read(host, "sysctl/net.ipv4.tcp_rmem") == "4096 131072 6291456"
    tune(host, "sysctl/net.ipv4.tcp_rmem", "4096\t87380  1073741824")
    assert read(host, "sysctl/net.ipv4.tcp_rmem") == "4096 87380 1073741824"


def test_dot_of_an_interface_name_is_written_as_a_slash(host: TunedHost) -> None:
    assert tune(host, "sysctl/net.ipv4.conf.ens1f0/222.rp_filter", "0")
    assert host.text("proc/sys/net/ipv4/conf/ens1f0.222/rp_filter") == "0"


def test_marked_choice_is_the_live_one(host: TunedHost) -> None:
    assert [read(host, key) for key in ("huge_pages", "block/nvme0n1/scheduler")] == ["madvise", "none"]


def test_governor_is_that_of_all_cpus_or_is_told_by_policy(host: TunedHost) -> None:
    assert read(host, "governor") == "powersave"
    host.write(GOVERNOR.format(0), "performance")
    assert read(host, "governor") == "policy0:performance policy10:powersave"
    tune(host, "governor", "performance")
    assert read(host, "governor") == "performance"
    assert untune(host, "governor")
    assert [host.text(GOVERNOR.format(policy)) for policy in (0, 10)] == ["performance", "powersave"]


def test_governor_of_a_cpu_that_is_gone_is_not_put_back(host: TunedHost) -> None:
    tune(host, "governor", "performance")
    (host.folder / GOVERNOR.format(10)).unlink()
    (host.folder / GOVERNOR.format(10)).parent.rmdir()
    assert untune(host, "governor")
    assert host.text(GOVERNOR.format(0)) == "powersave"


def test_smt_is_switched_where_there_is_such_a_thing(host: TunedHost) -> None:
    assert tune(host, "smt", "off")
    assert host.text("sys/devices/system/cpu/smt/control") == "off"
    host.write("sys/devices/system/cpu/smt/control", "notsupported")
    assert read(host, "smt") is None


def test_irqbalance_stops_and_comes_back(host: TunedHost) -> None:
    host.services.active.add("irqbalance.service")
    assert read(host, "irqbalance") == "on"
    assert tune(host, "irqbalance", "off")
    assert host.services.active == set()
    assert untune(host, "irqbalance")
    assert host.services.active == {"irqbalance.service"}


def test_host_without_irqbalance_has_it_off(host: TunedHost) -> None:
    host.services.refuses = "Unit irqbalance.service not found."
    assert tune(host, "irqbalance", "off")
    assert refusal(host, "irqbalance", "on") == "failed: irqbalance: the host does not take `on`: Unit irqbalance.service not found."


def test_host_whose_systemd_cannot_be_asked_has_it_neither_on_nor_off(host: TunedHost) -> None:
    host.services.is_absent = True
    assert read(host, "irqbalance") is None
    assert refusal(host, "irqbalance", "off").startswith(
        "not-found: irqbalance: there is no systemd here that could be asked for services; the agent runs in a container,"
    )
    assert host.tuning.held() == ()


@pytest.mark.parametrize(("exit_code", "is_active"), [(0, True), (3, False), (4, False), (1, None)])
def test_systemd_is_asked_where_it_runs_and_an_answer_that_is_none_is_not_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int, is_active: bool | None
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Systemd(booted=tmp_path).is_active("irqbalance.service") is is_active
    assert Systemd(booted=tmp_path / "none").is_active("irqbalance.service") is None
    with pytest.raises(OSError, match="there is no systemd here"):
        Systemd(booted=tmp_path / "none").forbid("irqbalance.service")
    systemctl.unlink()
    assert Systemd(booted=tmp_path).is_active("irqbalance.service") is None


def test_what_is_not_there_reads_as_none(host: TunedHost) -> None:
    keys = [
        "block/nvme9n1/scheduler",
        "block/nvme0n1/nomerges",
        "interface/ens9/irqs",
        "sysctl/net.ipv4.tcp_nothing",
        "sysctl/kernel.core_pattern",
        "interface/../mtu",
        "nonsense",
    ]
    assert host.tuning.read(keys) == dict.fromkeys(keys)


# --- interrupts ------------------------------------------------------------------------------------------------------------


def test_local_interrupts_are_spread_over_the_online_cpus_of_the_nics_node(host: TunedHost) -> None:
    assert read(host, "interface/ens1f0/irqs") == "0-7"
    assert tune(host, "interface/ens1f0/irqs", "local")
    assert affinities(host) == ["4", "5", "4"]  # 6 and 7 are offline
    assert read(host, "interface/ens1f0/irqs") == "local"
    assert untune(host, "interface/ens1f0/irqs")
    assert affinities(host) == ["0-7", "0-7", "0"]


def test_list_of_cpus_reads_as_it_was_asked_for_even_where_it_is_longer_than_needed(host: TunedHost) -> None:
    assert tune(host, "interface/ens1f0/irqs", "3,0-2")
    assert affinities(host) == ["0", "1", "2"]
    assert read(host, "interface/ens1f0/irqs") == "0-3"
    host.write("proc/irq/41/smp_affinity_list", "5")
    assert read(host, "interface/ens1f0/irqs") == "0,2,5"


def test_interrupts_with_other_numbers_after_a_reboot_are_spread_anew(host: TunedHost) -> None:
    tune(host, "interface/ens1f0/irqs", "local")
    (host.folder / "sys/class/net/ens1f0/device/msi_irqs/40").rename(host.folder / "sys/class/net/ens1f0/device/msi_irqs/50")
    host.write("proc/irq/50/smp_affinity_list", "0-7")
    assert [entry.now for entry in host.tuning.held()] == ["0-7"]
    host.tuning.restore()
    assert affinities(host)[1:] == ["4", "5"]
    assert host.text("proc/irq/50/smp_affinity_list") == "4"
    assert untune(host, "interface/ens1f0/irqs")
    assert host.text("proc/irq/50/smp_affinity_list") == "4"  # nobody knows what it was
