"""Queueing as values: what kernels wrote is read as what it was, in words and in numbers.

The bytes were recorded on kernels 6.1 and 6.18.
"""

from __future__ import annotations

import pytest
from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.options import (
    TCP,
    UDP,
    Match,
    Netem,
    attribute,
    attributes,
    flower_match,
    flower_options,
    fq_max_rate,
    netem_of,
    netem_options,
    prio_options,
    tbf_options,
    tbf_rate,
)
from dtn_agent.queueing.tree import (
    FQ,
    IPV4,
    IPV6,
    NETEM,
    PRIO,
    TBF,
    kinds_of,
    normal_settings,
    settings_of,
    tree_of,
)
from dtn_agent.queueing.wire import ROOT, Filter, Queue
from dtn_agent.queueing.words import exact_words, exactly, normal_words, options_of, parse_rate, show_rate, spoken
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.qos import Qos, qos_values
from dtnctl.model.tuning import Tuning, tuning_items

FQ_6_1 = bytes.fromhex(
    "08000100102700000800020064000000080003001c000200080004008c000a000800050001000000080007004059730708000900409c0000"
    "08000a00ff03000008000b008e0c010008000c00ffffffff080008000a00000008000d001027000008000e008096980005000f0001000000"
)
TBF_6_18 = bytes.fromhex("280001000001000000000000a0acb90300000000000000000000000028503700127a000000000000")
TBF_6_1_FAST = bytes.fromhex(
    "280001000001000000000000ffffffff000000000000000000000000007ddaac117a000000000000040008000c00040000743ba40b000000"
)
NETEM_6_1 = bytes.fromhex(
    "1a060000e9030000295c8f0201000000000000000d0300000c000a00a0860100000000000c000b0050c3000000000000100001000000000000000000"
    "000000000c00030000000040000000000c000400a69bc400000000001400060000000000000000000000000000000000"
)
NETEM_OLD = NETEM_6_1[:24]  # a kernel that counts in ticks only, and has no further attributes
FLOWER_6_1 = bytes.fromhex(
    "08000100020001d706000800080000000500090006000000" + "0600130001bb000006002400ffff00000800160008000000" + "0800560000000000"
)


# --- what kernels wrote ---------------------------------------------------------------------------------------------------


def test_pace_of_fq_is_read_among_its_other_options() -> None:
    assert fq_max_rate(FQ_6_1) == 125_000_000
    assert fq_max_rate(b"") is None


def test_rate_of_tbf_is_read_below_and_above_what_32_bits_hold() -> None:
    assert tbf_rate(TBF_6_18) == 62_500_000
    assert tbf_rate(TBF_6_1_FAST) == 50_000_000_000


def test_netem_is_read_to_the_nanosecond_where_the_kernel_tells_it() -> None:
    assert netem_of(NETEM_6_1) == Netem(delay=100_000, jitter=50_000, loss=1.0, corrupt=0.3, reorder=25.0, limit=1001)
    assert netem_of(NETEM_OLD) == Netem(delay=99_968, jitter=49_984, loss=1.0, limit=1001)


def test_filter_is_read_with_its_port() -> None:
    assert flower_match(FLOWER_6_1) == Match(IPV4, PRIO | 2, TCP, 443)


@pytest.mark.parametrize("data", [b"", attribute(1, b"\1\0\0\0"), FLOWER_6_1.replace(b"\x06\x00\x13", b"\x06\x00\x15")])
def test_filter_of_another_kind_is_none_of_ours(data: bytes) -> None:
    assert flower_match(data) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_attributes_or_none(data: bytes) -> None:
    assert all(len(payload) <= len(data) for payload in attributes(data).values())


# --- words ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("fq", "fq"),
        ("  mq   fq ", "mq fq"),
        ("fq maxrate 20gbit", "fq maxrate 20000mbit"),
        ("mq fq maxrate 1500000kbit", "mq fq maxrate 1500mbit"),
        ("fq maxrate 8bit", "fq maxrate 8bit"),
        ("fq maxrate 64kbit", "fq maxrate 64kbit"),
        ("pfifo_fast", "pfifo_fast"),
    ],
)
def test_words_have_one_form(text: str, normal: str) -> None:
    assert normal_words(text) == normal
    assert normal_words(normal) == normal


@pytest.mark.parametrize("text", ["", "mq", "htb", "mq mq", "fq maxrate", "fq maxrate fast", "fq maxrate 0bit", "fq_codel maxrate 1gbit"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        normal_words(text)


@given(st.integers(1, 2**32 - 2))
def test_every_rate_is_told_so_that_it_is_read_as_itself(rate: int) -> None:
    assert parse_rate(show_rate(rate)) == rate


def test_what_stands_on_a_nic_is_told_in_the_words_that_make_it() -> None:
    kind, options = options_of("mq fq maxrate 1gbit")
    below = [Queue(kind, 0x8001_0000 + queue, 0xD780_0001 + queue, options) for queue in range(4)]
    assert spoken([Queue("mq", 0xD780_0000), *below]) == "mq fq maxrate 1000mbit"
    assert spoken([Queue("fq", 0x8001_0000, ROOT, FQ_6_1)]) == "fq maxrate 1000mbit"
    assert spoken([]) == "noop"


def test_what_nobody_could_ask_for_has_words_too() -> None:
    assert spoken([Queue("mq", 0x10000), Queue("fq", 1, 0x10001), Queue("pfifo", 2, 0x10002)]) == "mq fq pfifo"
    assert spoken([Queue("htb", 0x10000), Queue("fq", 1, 0x10001)]) == "htb with others below"


def test_exact_words_hold_every_option() -> None:
    words = exact_words([Queue("fq", 0x8001_0000, ROOT, FQ_6_1)])
    assert words == f"fq maxrate 1000mbit = {FQ_6_1.hex()}"
    assert exactly(words) == (False, "fq", FQ_6_1)
    assert exactly(exact_words([Queue("mq", 0x10000), Queue("pfifo", 0, 0x10001, b"\1\0\0\0")])) == (True, "pfifo", b"\1\0\0\0")


@pytest.mark.parametrize(
    "queues",
    [
        [Queue("htb", 0x10000)],
        [Queue("htb", 0x10000), Queue("fq", 1, 0x10001)],
        [Queue("mq", 0x10000), Queue("fq", 1, 0x10001), Queue("pfifo", 2, 0x10002)],
        [Queue("mq", 0x10000), Queue("pfifo", 1, 0x10001, b"\1\0\0\0"), Queue("pfifo", 2, 0x10002, b"\2\0\0\0")],
    ],
)
def test_what_is_more_than_we_can_make_has_no_exact_words(queues: list[Queue]) -> None:
    with pytest.raises(ValueError, match="could not be restored"):
        exact_words(queues)


# --- settings and trees -----------------------------------------------------------------------------------------------------------

_times = st.one_of(st.none(), st.integers(1, 60_000_000).map(lambda microseconds: microseconds / 1000))
_shares = st.one_of(st.none(), st.integers(1, 100_000_000).map(lambda millionths: millionths / 1_000_000))
_settings = st.builds(
    QosSettings,
    rate=st.one_of(st.none(), st.integers(1, 10**10)),
    pacing=st.one_of(st.none(), st.integers(1, 34_359_738)),
    delay=_times,
    jitter=_times,
    loss=_shares,
    corrupt=_shares,
    reorder=_shares,
    ports=st.lists(st.integers(1, 65535), max_size=32).map(tuple),
    destinations=st.lists(st.sampled_from(["10.2.0.7", "10.3.0.0/24", "fd00::7", "fd00:3::/64", "128.0.0.0/1"]), max_size=5).map(tuple),
)


@given(_settings)
def test_every_mixture_is_read_back_as_it_was_asked_for(settings: QosSettings) -> None:
    wanted = normal_settings(settings)
    if "netem" not in kinds_of(wanted):
        wanted = wanted.model_copy(update={"ports": ()})
    if not {"netem", "fq"}.intersection(kinds_of(wanted)):
        wanted = wanted.model_copy(update={"destinations": ()})
    tree = tree_of(wanted, 9000)
    assert settings_of(tree.queues, tree.filters) == wanted
    assert normal_settings(wanted) == wanted


def test_shape_is_from_the_outside_in() -> None:
    tree = tree_of(QosSettings(rate=1000, delay=1.0, pacing=500, ports=(80,)), 1500)
    assert [(queue.kind, hex(queue.handle >> 16), hex(queue.parent)) for queue in tree.queues] == [
        ("tbf", "0xd700", "0xffffffff"),
        ("prio", "0xd701", "0xd7000001"),
        ("fq", "0xd704", "0xd7010001"),
        ("netem", "0xd702", "0xd7010002"),
        ("fq", "0xd703", "0xd7020001"),
    ]
    matches = [flower_match(item.options) for item in tree.filters]
    assert [(match.ether_type, match.protocol, match.port) for match in matches if match] == [
        (0x0800, 6, 80),
        (0x0800, 17, 80),
        (0x86DD, 6, 80),
        (0x86DD, 17, 80),
    ]


@pytest.mark.parametrize("to", ["10.2.0.7", "10.3.0.0/24", "fd00::7", "fd00:3::/64"])
@pytest.mark.parametrize(("protocol", "port"), [(0, 0), (TCP, 80), (UDP, 80)])
def test_a_match_is_read_as_it_was_written(to: str, protocol: int, port: int) -> None:
    match = Match(IPV6 if ":" in to else IPV4, PRIO | 2, protocol, port, to)
    assert flower_match(flower_options(match)) == match


def test_flows_to_one_address_are_paced_and_all_others_left() -> None:
    tree = tree_of(QosSettings(pacing=500, destinations=("10.2.0.7",)), 1500)
    assert [(queue.kind, hex(queue.parent)) for queue in tree.queues] == [("prio", "0xffffffff"), ("fq", "0xd7010002")]
    assert [flower_match(item.options) for item in tree.filters] == [Match(IPV4, PRIO | 2, to="10.2.0.7")]


def test_of_what_is_paced_to_an_address_only_the_named_ports_are_impaired() -> None:
    tree = tree_of(QosSettings(delay=1.0, pacing=500, ports=(80,), destinations=("10.2.0.7",)), 1500)
    assert [(queue.kind, hex(queue.parent)) for queue in tree.queues] == [
        ("prio", "0xffffffff"),
        ("fq", "0xd7010003"),
        ("netem", "0xd7010002"),
        ("fq", "0xd7020001"),
    ]
    assert [(item.priority, flower_match(item.options)) for item in tree.filters] == [
        (1, Match(IPV4, PRIO | 2, TCP, 80, "10.2.0.7")),
        (1, Match(IPV4, PRIO | 2, UDP, 80, "10.2.0.7")),
        (3, Match(IPV4, PRIO | 3, to="10.2.0.7")),
    ]


@pytest.mark.parametrize(
    "queues",
    [
        [Queue("pfifo", 0x8001_0000)],
        [Queue("tbf", 0x8001_0000, ROOT, TBF_6_18)],  # somebody else's
        [Queue("tbf", TBF, ROOT, TBF_6_18), Queue("pfifo", 0x8001_0000, TBF | 1)],
        [Queue("fq", TBF, ROOT, FQ_6_1)],
        [Queue("tbf", NETEM, ROOT, TBF_6_18)],
        [Queue("pfifo", FQ)],
        [Queue("prio", PRIO, ROOT, prio_options(3))],
        [Queue("netem", NETEM, TBF | 1, netem_options(Netem(loss=1.0)))],
    ],
)
def test_what_is_not_ours_comes_from_no_settings(queues: list[Queue]) -> None:
    assert settings_of(queues, ()) is None


def test_missing_or_foreign_filter_is_drift() -> None:
    tree = tree_of(QosSettings(loss=1.0, ports=(80,)), 1500)
    assert settings_of(tree.queues, tree.filters[1:]) is None
    foreign = Filter("u32", PRIO, 1, IPV4, tree.filters[0].options)
    assert settings_of(tree.queues, (*tree.filters, foreign)) is None


@given(st.integers(125, 10**12))
def test_some_whole_packets_always_fit_into_the_burst(rate: int) -> None:
    tree = tree_of(QosSettings(rate=max(1, rate // 125)), 9000)
    burst = int.from_bytes(attributes(tree.queues[0].options)[6], "little")
    assert 2 * 9000 < burst <= 2**31
    assert tbf_rate(tbf_options(rate, burst, 2 * burst)) == rate


# --- both sides say the same ----------------------------------------------------------------------------------------------------------


def test_what_the_state_says_is_in_the_agents_normal_form() -> None:
    """Else a plan would find drift for ever."""
    qos = Qos.model_validate(
        {
            "rate": "1.5gbit",
            "delay": "0.0333333ms",
            "loss": "0.333333%",
            "ports": [443, 80, 443],
            "destinations": ["10.2.0.7/32", "fd00::7", "10.2.0.7"],
        }
    )
    wanted = QosSettings.model_validate(qos_values(qos))
    assert normal_settings(wanted) == wanted
    tuning = Tuning.model_validate({"interfaces": {"a": {"qdisc": "mq fq", "pacing": "1.5gbit"}, "b": {"qdisc": "fq", "pacing": "64kbit"}}})
    assert all(normal_words(words) == words for words in tuning_items(tuning).values())
