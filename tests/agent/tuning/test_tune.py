"""Settings of a host made of files: what was found is remembered once and put back, and what makes no sense is refused."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from pathlib import Path

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.log import Lines
from dtn_agent.protocol import HeldTuning, Tune, Untune
from dtn_agent.tuning.irqbalance import Systemd
from dtn_agent.tuning.key import apply_order
from dtn_agent.tuning.tune import HostTuning

from tests.agent.server.serving import FACTS, unasked
from tests.agent.tuning.tuned_host import TunedHost, tuned_host

PROBING = "proc/sys/net/ipv4/tcp_mtu_probing"
SCHEDULER, REQUESTS = "block/nvme0n1/scheduler", "block/nvme0n1/nr_requests"
PROBING_KEY = "sysctl/net.ipv4.tcp_mtu_probing"
GOVERNOR = "sys/devices/system/cpu/cpufreq/policy{}/scaling_governor"


@pytest.fixture
def host(tmp_path: Path) -> TunedHost:
    return tuned_host(tmp_path)


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


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_what_was_found_is_remembered_once_and_put_back(host: TunedHost) -> None:
    key = "sysctl/net.ipv4.tcp_mtu_probing"
    assert tune(host, key, "1")
    assert tune(host, key, "2")
    assert host.text(PROBING) == "2"
    assert host.tuning.held() == (HeldTuning(key=key, found="0", wanted="2", now="2", site="scinet"),)
    assert untune(host, key)
    assert host.text(PROBING) == "0"
    assert host.tuning.held() == ()


def test_doing_it_again_changes_nothing(host: TunedHost) -> None:
    key = "sysctl/net.ipv4.tcp_mtu_probing"
    assert tune(host, key, "1")
    assert not tune(host, key, "1")
    assert untune(host, key)
    assert not untune(host, key)


def test_setting_that_is_so_already_becomes_ours_all_the_same(host: TunedHost) -> None:
    assert tune(host, "sysctl/net.ipv4.tcp_mtu_probing", "0")
    assert [(entry.found, entry.wanted) for entry in host.tuning.held()] == [("0", "0")]


def test_drift_is_read_and_mended_by_the_same_request(host: TunedHost) -> None:
    key = "sysctl/net.ipv4.tcp_mtu_probing"
    tune(host, key, "1")
    host.write(PROBING, "2")
    assert [(entry.wanted, entry.now) for entry in host.tuning.held()] == [("1", "2")]
    assert tune(host, key, "1")
    assert host.text(PROBING) == "1"


def test_reboot_makes_all_live_again_and_keeps_what_was_found_before_us(host: TunedHost) -> None:
    tune(host, "sysctl/net.ipv4.tcp_mtu_probing", "1")
    tune(host, "governor", "performance")
    host.write(PROBING, "2")  # somebody's own sysctl.d, by now another one
    for policy in (0, 10):
        host.write(GOVERNOR.format(policy), "powersave")
    host.tuning.restore()
    assert [host.text(PROBING), host.text(GOVERNOR.format(10))] == ["1", "performance"]
    assert [entry.found for entry in host.tuning.held()] == ["policy0:powersave policy10:powersave", "0"]


def test_what_cannot_be_restored_is_logged_and_the_rest_goes_on(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, "block/nvme0n1/nr_requests", "512")
    host.services.active.add("irqbalance.service")
    tune(host, "irqbalance", "off")
    host.services.active.add("irqbalance.service")
    host.services.refuses = "busy"
    host.write("sys/block/nvme0n1/queue/nr_requests", "1023")
    with caplog.at_level(logging.WARNING):
        host.tuning.restore()
    assert host.text("sys/block/nvme0n1/queue/nr_requests") == "512"
    assert said(caplog) == ["not restored: irqbalance: the host does not take `off`: busy"]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


# --- what comes later than the agent --------------------------------------------------------------------------------------

DRIVE = "sys/block/nvme0n1"


def unplug(host: TunedHost, what: str = DRIVE) -> Path:
    """Take it away; where to put it back from."""
    return (host.folder / what).rename(host.folder / "unplugged")


def test_device_whose_driver_comes_late_is_waited_for(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    unplugged = unplug(host)
    comes = threading.Timer(0.2, unplugged.rename, [host.folder / DRIVE])
    comes.start()
    HostTuning(host.ledger, host.root, host.services).restore()
    comes.join()
    assert (read(host, REQUESTS), said(caplog)) == ("512", [])


def test_devices_that_never_come_are_waited_for_once_and_not_each(host: TunedHost) -> None:
    entries = tuple(
        HeldTuning(key=f"block/sd{letter}/nr_requests", found="1", wanted="2", now=None, site="play") for letter in "abcdefghij"
    )
    host.ledger.write(lambda held: held.model_copy(update={"tuning": entries}))
    began = time.monotonic()
    HostTuning(host.ledger, host.root, host.services, device_seconds=0.5).restore()
    assert 0.5 <= time.monotonic() - began < 3


def test_what_comes_even_later_is_restored_then_and_both_are_told_once(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    unplugged, tuning = unplug(host), host.tuning
    tuning.restore()
    for _ in range(3):
        tuning.retry()
    assert said(caplog) == [f"not restored: there is no {REQUESTS} here"]
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert read(host, REQUESTS) == "512"
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    tuning.retry()
    assert read(host, REQUESTS) == "1023", "what somebody changes later is for dtnctl to see"
    assert said(caplog)[1:] == [f"restored after all: {REQUESTS}"]


def test_interrupts_of_a_nic_that_is_up_later_are_placed_then(host: TunedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    tune(host, "interface/ens1f0/irqs", "local")
    for number in (40, 41, 42):
        host.write(f"proc/irq/{number}/smp_affinity_list", "0-7")
    unplugged, tuning = unplug(host, "proc/irq"), host.tuning
    tuning.restore()
    monkeypatch.setattr("dtn_agent.tuning.tune.RETRY_SECONDS", 0.01)
    stop = threading.Event()
    watching = threading.Thread(target=tuning.watch, args=(stop,))
    watching.start()
    unplugged.rename(host.folder / "proc/irq")
    for _ in range(500):
        if affinities(host) == ["4", "5", "4"]:
            break
        stop.wait(0.02)
    stop.set()
    watching.join(10)
    assert affinities(host) == ["4", "5", "4"]


def test_setting_that_is_refused_is_tried_ever_more_rarely_because_a_try_may_restart_a_nic(
    host: TunedHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.services.active.add("irqbalance.service")
    tune(host, "irqbalance", "off")
    host.services.active.add("irqbalance.service")
    host.services.refuses = "busy"
    asked, tuning = host.services.asked, host.tuning
    tuning.restore()
    for _ in range(14):
        tuning.retry()
    assert host.services.asked - asked == 1 + 3  # after 1, 2 and 4 more rounds
    host.services.refuses = ""
    tuning.retry()
    assert read(host, "irqbalance") == "off"
    assert len(said(caplog)) == 2


def test_each_setting_that_is_restored_or_refused_has_its_line_once(host: TunedHost) -> None:
    tune(host, PROBING_KEY, "1")
    tune(host, REQUESTS, "512")
    tune(host, "governor", "performance")
    host.write(PROBING, "0")
    unplugged, output = unplug(host), io.StringIO()
    tuning = HostTuning(host.ledger, host.root, host.services, device_seconds=0, audit=Audit(Lines(output), "agent"))
    tuning.restore()
    tuning.retry()
    assert unasked(output) == [("tune", PROBING_KEY, "done"), ("tune", REQUESTS, "not-found")]
    host.write("unplugged/queue/nr_requests", "1023")
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert unasked(output)[2:] == [("tune", REQUESTS, "done")]
    assert json.loads(output.getvalue().splitlines()[2])["detail"] == f"{REQUESTS} is 512 again; it was 1023"


def test_what_the_late_setting_of_a_device_undoes_is_made_again(host: TunedHost) -> None:
    tune(host, SCHEDULER, "kyber")
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/scheduler", "[none] mq-deadline kyber")
    unplugged, tuning = unplug(host, f"{DRIVE}/queue/scheduler"), host.tuning
    tuning.restore()
    unplugged.rename(host.folder / DRIVE / "queue/scheduler")
    tuning.retry()
    assert [read(host, key) for key in (SCHEDULER, REQUESTS)] == ["kyber", "512"]


def test_setting_that_is_given_back_meanwhile_is_not_tried_again(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    unplugged, tuning = unplug(host), host.tuning
    tuning.restore()
    tuning.untune(Untune(site="scinet", key=REQUESTS))
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert len(said(caplog)) == 1


def test_another_sites_setting_is_left_alone(host: TunedHost) -> None:
    key = "sysctl/net.ipv4.tcp_mtu_probing"
    tune(host, key, "1", site="other")
    with pytest.raises(RefusedError, match=f"{key} is tuned by site other") as caught:
        tune(host, key, "2")
    assert caught.value.code == "conflict"
    with pytest.raises(RefusedError, match=f"{key} is tuned by site other"):
        untune(host, key)
    assert host.text(PROBING) == "1"


def test_setting_that_is_gone_can_still_be_forgotten(host: TunedHost) -> None:
    tune(host, "block/nvme0n1/nr_requests", "512")
    (host.folder / "sys/block/nvme0n1/queue/nr_requests").unlink()
    assert untune(host, "block/nvme0n1/nr_requests")
    assert host.tuning.held() == ()


# --- what is read is what was set ----------------------------------------------------------------------------------------


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


def affinities(host: TunedHost) -> list[str]:
    return [host.text(f"proc/irq/{number}/smp_affinity_list") for number in (40, 41, 42)]


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


# --- refused ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("sysctl/net.ipv4.tcp_nothing", "1", "not-found: there is no sysctl/net.ipv4.tcp_nothing here"),
        (
            "sysctl/net.ipv4.tcp_rmem",
            "1 2;",
            "bad-request: sysctl/net.ipv4.tcp_rmem: `1 2;` is not a value of a sysctl: letters, digits and _.,:+- in words",
        ),
        (
            "sysctl/net..core",
            "1",
            "bad-request: sysctl/net..core: `net..core` is not the name of a sysctl; write for example net.ipv4.tcp_rmem",
        ),
        (
            "sysctl/net.@/..",
            "1",
            "bad-request: sysctl/net.@/..: `net.@/..` is not the name of a sysctl; write for example net.ipv4.tcp_rmem",
        ),
        ("governor", "warp", "bad-request: governor: `warp` is not one of performance, powersave"),
        ("smt", "maybe", "bad-request: smt: `maybe` is not one of on, off"),
        ("irqbalance", "maybe", "bad-request: irqbalance: `maybe` is not one of on, off"),
        ("huge_pages", "some", "bad-request: huge_pages: `some` is not one of always, madvise, never"),
        ("block/nvme0n1/scheduler", "bfq", "bad-request: block/nvme0n1/scheduler: `bfq` is not one of none, mq-deadline, kyber"),
        ("block/nvme0n1/rq_affinity", "3", "bad-request: block/nvme0n1/rq_affinity: `3` is not a whole number from 0 to 2"),
        ("block/nvme0n1/rq_affinity", "-1", "bad-request: block/nvme0n1/rq_affinity: `-1` is not a whole number from 0 to 2"),
        ("block/nvme0n1/nomerges", "2", "not-found: there is no block/nvme0n1/nomerges here"),
        ("block/nvme0n1/rotational", "0", "bad-request: block/nvme0n1/rotational is not a setting that the agent knows"),
        ("block/../scheduler", "none", "bad-request: block/../scheduler is not a setting that the agent knows"),
        ("interface/../irqs", "local", "bad-request: interface/../irqs is not a setting that the agent knows"),
        ("interface/ens1f0/speed", "1", "bad-request: interface/ens1f0/speed is not a setting that the agent knows"),
        ("interface/ens1f0/irqs", "near", "bad-request: interface/ens1f0/irqs: `near` is not a list of CPUs; write for example 0-3,8"),
        ("interface/ens1f0/irqs", "64", "bad-request: interface/ens1f0/irqs: `64`: none of these CPUs is online"),
        ("interface/ens9/irqs", "local", "not-found: there is no interface/ens9/irqs here"),
        ("governor/x", "performance", "bad-request: governor/x is not a setting that the agent knows"),
    ],
)
def test_request_that_makes_no_sense_here_is_refused_in_a_sentence(host: TunedHost, key: str, value: str, sentence: str) -> None:
    assert refusal(host, key, value) == sentence
    assert host.tuning.held() == ()


def test_sysctls_that_would_run_programs_are_refused(host: TunedHost) -> None:
    assert refusal(host, "sysctl/kernel.core_pattern", "x").startswith(
        "bad-request: sysctl/kernel.core_pattern: kernel.core_pattern is none of the sysctls that the agent sets: fs.aio-max-nr,"
    )
    assert host.text("proc/sys/kernel/core_pattern") == "core"


def test_value_that_the_kernel_takes_and_does_not_keep_is_refused_and_taken_back(host: TunedHost) -> None:
    """A file of choices without the kernel behind it loses its brackets: like a kernel that keeps another value."""
    key = "huge_pages"
    assert refusal(host, key, "always") == "failed: huge_pages: `always` was written, and the host has `None`"
    assert host.tuning.held() == ()
    assert host.text("sys/kernel/mm/transparent_hugepage/enabled") == "madvise"


def test_setting_that_refuses_every_change_is_not_ours_afterwards(host: TunedHost) -> None:
    """As interrupts do that the kernel manages: putting back what never changed would be refused, too."""
    host.services.active.add("irqbalance.service")
    host.services.refuses = "busy"
    assert refusal(host, "irqbalance", "off") == "failed: irqbalance: the host does not take `off`: busy"
    assert host.tuning.held() == ()


def test_refused_change_of_a_setting_that_is_ours_keeps_the_earlier_one(host: TunedHost) -> None:
    host.services.active.add("irqbalance.service")
    tune(host, "irqbalance", "off")
    host.services.refuses = "busy"
    assert refusal(host, "irqbalance", "on") == "failed: irqbalance: the host does not take `on`: busy"
    assert [(entry.found, entry.wanted, entry.now) for entry in host.tuning.held()] == [("on", "off", "off")]


def test_what_could_not_even_be_taken_back_stays_in_the_ledger(host: TunedHost) -> None:
    host.services.active.add("irqbalance.service")
    tune(host, "irqbalance", "off")
    host.services.refuses = "busy"
    with pytest.raises(RefusedError, match="the host does not take back `on`: busy"):
        untune(host, "irqbalance")
    assert [entry.key for entry in host.tuning.held()] == ["irqbalance"]
    host.services.refuses = ""
    assert untune(host, "irqbalance")


def test_ability_to_tune_is_that_to_write_the_kernels_parameters(host: TunedHost, tmp_path: Path) -> None:
    assert [ability.lacks for ability in host.tuning.abilities(FACTS)] == [""]
    assert [ability.lacks for ability in tuned_host(tmp_path / "bare", {}).tuning.abilities(FACTS)] == [
        "the agent may not write to /proc/sys here"
    ]


# --- order -----------------------------------------------------------------------------------------------------------------


def test_settings_are_restored_in_an_order_in_which_none_undoes_another() -> None:
    keys = ["interface/a/irqs", "interface/a/qdisc", "interface/a/mtu", "interface/b/channels", "irqbalance", "sysctl/x", "smt"]
    assert sorted(keys, key=apply_order) == [
        "sysctl/x",
        "smt",
        "irqbalance",
        "interface/b/channels",
        "interface/a/mtu",
        "interface/a/qdisc",
        "interface/a/irqs",
    ]


def test_number_of_requests_survives_the_scheduler_after_which_it_is_restored(host: TunedHost) -> None:
    tune(host, SCHEDULER, "kyber")
    tune(host, REQUESTS, "512")
    host.write("sys/block/nvme0n1/queue/scheduler", "[none] mq-deadline kyber")
    host.write("sys/block/nvme0n1/queue/nr_requests", "1023")
    host.tuning.restore()
    assert [read(host, key) for key in (SCHEDULER, REQUESTS)] == ["kyber", "512"]


def test_scheduler_that_changes_alone_leaves_our_number_of_requests_as_it_is(host: TunedHost) -> None:
    tune(host, REQUESTS, "512")
    tune(host, SCHEDULER, "kyber")
    assert read(host, REQUESTS) == "512"
    untune(host, SCHEDULER)
    assert [read(host, key) for key in (SCHEDULER, REQUESTS)] == ["none", "512"]
    untune(host, REQUESTS)
    assert read(host, REQUESTS) == "1023"


def test_device_is_as_it_was_when_its_scheduler_is_put_back_last(host: TunedHost) -> None:
    for key, value in ((SCHEDULER, "kyber"), (REQUESTS, "512")):
        tune(host, key, value)
    for key in (REQUESTS, SCHEDULER):
        untune(host, key)
    assert [read(host, key) for key in (SCHEDULER, REQUESTS)] == ["none", "1023"]
