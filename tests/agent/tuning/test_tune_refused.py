"""Settings that make no sense, or that the kernel does not keep, are refused and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError

from tests.agent.server.serving import FACTS
from tests.agent.tuning.asking import refusal, tune, untune
from tests.agent.tuning.tuned_host import TunedHost, tuned_host


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
