"""What `tuning:` says, as the agent's keys and values, and what of it goes onto containers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.tuning import Tuning, container_sysctls, is_per_namespace, tuning_items


def tuning(**fields: Any) -> Tuning:
    return Tuning.model_validate_json(json.dumps(fields))


def test_every_setting_becomes_one_item_in_the_order_in_which_none_undoes_another() -> None:
    declared = tuning(
        sysctls={"net.ipv4.tcp_rmem": "4096\t87380  1073741824", "net.core.rmem_max": 2147483647},
        interfaces={
            "ens1f1": {"mtu": 9000},
            "ens1f0": {
                "irqs": "8-11,4",
                "qdisc": "mq fq",
                "pacing": "20gbit",
                "mtu": 9000,
                "tx_queue_len": 25000,
                "rx_ring": 8192,
                "tx_ring": 4096,
                "channels": 16,
                "adaptive_rx": True,
                "pause": False,
            },
        },
        governor="performance",
        smt=False,
        huge_pages="madvise",
        irqbalance=False,
        block={"nvme0n1": {"scheduler": "none", "nr_requests": 1023, "read_ahead_kb": 4096, "rq_affinity": 2, "nomerges": 0}},
    )
    assert list(tuning_items(declared).items()) == [
        ("sysctl/net.core.rmem_max", "2147483647"),
        ("sysctl/net.ipv4.tcp_rmem", "4096 87380 1073741824"),
        ("smt", "off"),
        ("governor", "performance"),
        ("huge_pages", "madvise"),
        ("irqbalance", "off"),
        ("block/nvme0n1/scheduler", "none"),
        ("block/nvme0n1/nomerges", "0"),
        ("block/nvme0n1/nr_requests", "1023"),
        ("block/nvme0n1/read_ahead_kb", "4096"),
        ("block/nvme0n1/rq_affinity", "2"),
        ("interface/ens1f0/channels", "16"),
        ("interface/ens1f0/rx_ring", "8192"),
        ("interface/ens1f0/tx_ring", "4096"),
        ("interface/ens1f0/mtu", "9000"),
        ("interface/ens1f0/tx_queue_len", "25000"),
        ("interface/ens1f0/adaptive_rx", "on"),
        ("interface/ens1f0/pause_rx", "off"),
        ("interface/ens1f0/pause_tx", "off"),
        ("interface/ens1f0/qdisc", "mq fq maxrate 20000mbit"),
        ("interface/ens1f0/irqs", "4,8-11"),
        ("interface/ens1f1/mtu", "9000"),
    ]


def test_nothing_declared_is_nothing_to_set() -> None:
    assert tuning_items(tuning()) == {}


def test_irqbalance_can_be_asked_for() -> None:
    assert tuning_items(tuning(irqbalance=True)) == {"irqbalance": "on"}


def test_pattern_stands_for_the_devices_that_are_there() -> None:
    declared = tuning(block={"nvme1n1": {"scheduler": "none"}, "nvme?n1": {"scheduler": "kyber", "rq_affinity": 2}})
    assert tuning_items(declared, ["sda", "nvme1n1", "nvme0n1"]) == {
        "block/nvme0n1/rq_affinity": "2",
        "block/nvme0n1/scheduler": "kyber",
        "block/nvme1n1/rq_affinity": "2",
        "block/nvme1n1/scheduler": "none",
    }


def test_containers_get_what_each_network_namespace_has_of_its_own() -> None:
    declared = tuning(
        sysctls={
            "net.core.rmem_max": 2147483647,
            "net.ipv4.tcp_mtu_probing": 1,
            "net.ipv4.tcp_mem": "1 2 3",
            "net.ipv4.tcp_rmem": "4096 87380 1073741824",
            "vm.swappiness": 1,
        }
    )
    assert container_sysctls(declared) == {"net.ipv4.tcp_mtu_probing": "1", "net.ipv4.tcp_rmem": "4096 87380 1073741824"}


@pytest.mark.parametrize(
    ("name", "has_own"),
    [
        ("net.ipv4.tcp_congestion_control", True),
        ("net.ipv4.conf.all.rp_filter", True),
        ("net.ipv4.conf.ens1f0.rp_filter", False),
        ("net.ipv4.tcp_available_congestion_control", False),
        ("net.core.default_qdisc", False),
        ("net.core.optmem_max", False),
        ("net.core.somaxconn", True),
        ("vm.dirty_bytes", False),
    ],
)
def test_what_a_namespace_has_of_its_own(name: str, has_own: bool) -> None:
    assert is_per_namespace(name) is has_own


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"interfaces": {"e0": {"pacing": "20gbit"}}}, "pacing needs `qdisc: fq` or `qdisc: mq fq`"),
        ({"interfaces": {"e0": {"pacing": "20gbit", "qdisc": "pfifo_fast"}}}, "pacing needs `qdisc: fq` or `qdisc: mq fq`"),
        ({"irqbalance": True, "interfaces": {"e0": {"irqs": "local"}}}, "`irqbalance: true` moves the interrupts that `irqs` places"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        tuning(**value)
    assert caught.value.errors()[0]["msg"] == f"Value error, {message}"
