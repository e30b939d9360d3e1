"""Settings of the real kernel, in network namespaces of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.tuning import Tune, Untune
from dtn_agent.queueing.wire import ROOT, Queue, QueuedLink, Wire, open_wire
from dtn_agent.tuning.tune import HostTuning

from tests.agent.namespace_host import needs_root, with_veth
from tests.agent.tuning.tuned_host import FakeServices

pytestmark = [pytest.mark.lab, needs_root]


class Tuned:
    """The settings, with short words for what a test does."""

    def __init__(self, folder: Path) -> None:
        self.tuning = HostTuning(Ledger(folder / "ledger.json"), services=FakeServices(), device_seconds=0)

    def set(self, key: str, value: str) -> str | None:
        self.tuning.tune(Tune(site="scinet", key=key, value=value))
        return self.now(key)

    def back(self, key: str) -> str | None:
        self.tuning.untune(Untune(site="scinet", key=key))
        return self.now(key)

    def now(self, key: str) -> str | None:
        return self.tuning.read([key])[key]

    def refusal(self, key: str, value: str) -> str:
        with pytest.raises(RefusedError) as caught:
            self.set(key, value)
        assert key not in {entry.key for entry in self.tuning.held()}
        return str(caught.value)


@pytest.fixture
def tuned(tmp_path: Path) -> Tuned:
    return Tuned(tmp_path)


HTB = Queue("htb", 0x10_0000, ROOT, bytes.fromhex("180002000300000000000000000000000000000000000000"))  # version 3


def near(wire: Wire) -> QueuedLink:
    link = wire.link("near")
    assert link is not None
    return link


def need(*queues: Queue) -> None:
    """Skip, with the kernel's words, where it has not all of these."""

    def missing() -> str:
        for queue in queues:
            try:
                with open_wire() as wire:
                    wire.replace(near(wire), queue)
            except OSError as error:
                return f"{queue.kind}: {error.strerror}"
        return ""

    if words := with_veth(missing, queues=2):
        pytest.skip(f"this kernel has no {words}")


def test_sysctls_of_this_namespace_alone_are_set_and_put_back(tuned: Tuned) -> None:
    outside = Path("/proc/sys/net/ipv4/tcp_mtu_probing").read_text()

    def scene() -> list[str | None]:
        key = "sysctl/net.ipv4.tcp_mtu_probing"
        return [tuned.set(key, "2"), tuned.back(key), tuned.set("sysctl/net.ipv4.tcp_rmem", "4096  87380\t1073741824")]

    assert with_veth(scene) == ["2", "0", "4096 87380 1073741824"]
    assert Path("/proc/sys/net/ipv4/tcp_mtu_probing").read_text() == outside


def test_value_that_the_kernel_refuses_is_told_in_its_words(tuned: Tuned) -> None:
    def scene() -> list[str]:
        return [
            tuned.refusal("sysctl/net.ipv4.tcp_congestion_control", "warp"),
            tuned.refusal("sysctl/net.ipv4.tcp_mtu_probing", "many"),
            tuned.refusal("interface/near/mtu", "99999999"),
        ]

    congestion, probing, mtu = with_veth(scene)
    assert congestion.startswith("sysctl/net.ipv4.tcp_congestion_control: the host does not take `warp`: it has no `warp`, only ")
    assert probing == "sysctl/net.ipv4.tcp_mtu_probing: the host does not take `many`: Invalid argument"
    assert mtu == "interface/near/mtu: the host does not take `99999999`: mtu greater than device maximum"


def test_mtu_and_queue_length_are_set_and_put_back(tuned: Tuned) -> None:
    def scene() -> list[str | None]:
        found = [tuned.now("interface/near/mtu"), tuned.now("interface/near/tx_queue_len")]
        there = [tuned.set("interface/near/mtu", "9000"), tuned.set("interface/near/tx_queue_len", "25000")]
        return [*found, *there, tuned.back("interface/near/mtu"), tuned.back("interface/near/tx_queue_len")]

    assert with_veth(scene) == ["1500", "1000", "9000", "25000", "1500", "1000"]


def test_number_of_channels_is_set_by_ethtool_and_put_back(tuned: Tuned) -> None:
    def scene() -> list[str | None]:
        key = "interface/near/channels"
        return [tuned.now(key), tuned.set(key, "2"), tuned.back(key)]

    assert with_veth(scene, queues=4) == ["4", "2", "4"]


def test_what_a_driver_lacks_reads_as_none(tuned: Tuned) -> None:
    keys = [f"interface/near/{name}" for name in ("rx_ring", "tx_ring", "adaptive_rx", "pause_rx", "pause_tx", "irqs")]
    assert with_veth(lambda: tuned.tuning.read(keys)) == dict.fromkeys(keys)


def test_interface_that_is_not_there_reads_as_none(tuned: Tuned) -> None:
    keys = [f"interface/ens9/{name}" for name in ("mtu", "tx_queue_len", "qdisc", "channels", "rx_ring")]
    assert with_veth(lambda: tuned.tuning.read(keys)) == dict.fromkeys(keys)


def test_queueing_is_set_in_words_and_the_kernels_default_comes_back(tuned: Tuned) -> None:
    def scene() -> list[str | None]:
        key = "interface/near/qdisc"
        found = tuned.now(key)
        return [found, tuned.set(key, "pfifo"), tuned.set(key, "pfifo_fast"), tuned.back(key)]

    found, *others = with_veth(scene)
    assert others == ["pfifo", "pfifo_fast", found]


def test_queueing_below_each_transmit_queue(tuned: Tuned) -> None:
    def scene() -> tuple[str | None, int, str | None]:
        now = tuned.set("interface/near/qdisc", "mq pfifo")
        with open_wire() as wire:
            below = [queue for queue in wire.queues(near(wire)) if queue.kind == "pfifo"]
        return now, len(below), tuned.back("interface/near/qdisc")

    need(Queue("mq"))
    assert with_veth(scene, queues=4) == ("mq pfifo", 4, "noqueue")


def test_pacing_is_read_back_from_the_kernel(tuned: Tuned) -> None:
    def scene() -> list[str | None]:
        key = "interface/near/qdisc"
        return [tuned.set(key, value) for value in ("fq maxrate 20gbit", "fq", "mq fq maxrate 500kbit")]

    need(Queue("mq"), Queue("fq"))
    assert with_veth(scene, queues=2) == ["fq maxrate 20000mbit", "fq", "mq fq maxrate 500kbit"]


@pytest.mark.parametrize("multiqueue", [False, True])
def test_queueing_that_somebody_set_up_comes_back_with_all_its_options(tuned: Tuned, multiqueue: bool) -> None:
    """pfifo has one option, its limit, which our words do not name."""
    limit = (77).to_bytes(4, "little")

    def options() -> list[tuple[str, bytes]]:
        with open_wire() as wire:
            return [(queue.kind, queue.options) for queue in wire.queues(near(wire))]

    def scene() -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]], str | None]:
        with open_wire() as wire:
            if multiqueue:
                wire.replace(near(wire), Queue("mq", 0x10_0000))
            for parent in (0x10_0001, 0x10_0002) if multiqueue else (ROOT,):
                wire.replace(near(wire), Queue("pfifo", 0, parent, limit))
        before = options()
        tuned.set("interface/near/qdisc", "pfifo_fast")
        (entry,) = tuned.tuning.held()
        tuned.back("interface/near/qdisc")
        return before, options(), entry.found

    if multiqueue:
        need(Queue("mq"))
    before, after, found = with_veth(scene, queues=2)
    assert before == after
    assert ("pfifo", limit) in after
    assert found == ("mq pfifo = 4d000000" if multiqueue else "pfifo = 4d000000")


def test_queueing_that_could_not_be_put_back_is_not_touched(tuned: Tuned) -> None:
    def scene() -> str:
        with open_wire() as wire:
            wire.replace(near(wire), HTB)
        return tuned.refusal("interface/near/qdisc", "pfifo")

    need(HTB)
    assert with_veth(scene) == (
        "interface/near/qdisc: `htb` was not set up by dtnctl and could not be restored; remove it first: tc qdisc del dev NIC root"
    )


def test_restart_of_the_agent_makes_the_queueing_again(tuned: Tuned) -> None:
    def scene() -> tuple[str | None, str | None]:
        key = "interface/near/qdisc"
        tuned.set(key, "pfifo")
        with open_wire() as wire:
            wire.remove_root(near(wire))
        drifted = tuned.now(key)
        tuned.tuning.restore()
        return drifted, tuned.now(key)

    assert with_veth(scene) == ("noqueue", "pfifo")


def test_words_that_are_no_queueing_are_refused(tuned: Tuned) -> None:
    def scene() -> list[str]:
        return [
            tuned.refusal("interface/near/qdisc", value)
            for value in ("htb", "mq", "fq limit 5", "fq maxrate 40gbit", "pfifo maxrate 1gbit")
        ]

    assert with_veth(scene) == [
        "interface/near/qdisc: `htb` is not one of fq, fq_codel, noqueue, pfifo, pfifo_fast, alone or after `mq`",
        "interface/near/qdisc: `mq` is not one of fq, fq_codel, noqueue, pfifo, pfifo_fast, alone or after `mq`",
        "interface/near/qdisc: `fq limit 5`: only fq takes an option here, `maxrate RATE`",
        "interface/near/qdisc: `40gbit` is not a rate from 8bit to 34359mbit, the most that fq can pace a flow to",
        "interface/near/qdisc: `pfifo maxrate 1gbit`: only fq takes an option here, `maxrate RATE`",
    ]
