"""Settings of a host made of files: what was found is remembered once and restored, in an order that keeps it."""

from __future__ import annotations

import logging

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.tuning.key import apply_order

from tests.agent.tuning.asking import GOVERNOR, PROBING, REQUESTS, SCHEDULER, read, said, tune, untune
from tests.agent.tuning.tuned_host import TunedHost


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
