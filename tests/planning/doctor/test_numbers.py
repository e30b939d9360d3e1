"""The arithmetic behind the rules: CPU lists, PCIe, speeds, versions."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import PcieLink
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.findings import speed_text
from dtnctl.model.versions import version_of
from dtnctl.planning.doctor.numbers import cpu_list, cpu_set, last_number, needs_of, pace_of, pcie_can, pcie_goodput


@given(st.frozensets(st.integers(0, 300)))
def test_cpu_list_reads_back_as_the_same_cpus(cpus: frozenset[int]) -> None:
    assert cpu_set(cpu_list(cpus)) == cpus


def test_cpu_lists_are_written_as_the_kernel_writes_them() -> None:
    assert cpu_list(frozenset({0, 1, 2, 3, 8, 10, 11})) == "0-3,8,10-11"
    assert cpu_set("0-3,8\n") == {0, 1, 2, 3, 8}
    assert cpu_set("") == frozenset()


@pytest.mark.parametrize(
    ("speed", "width", "least", "most"),
    [
        (8.0, 8, 56, 58),
        (8.0, 16, 114, 115),
        (16.0, 8, 114, 115),
        (16.0, 16, 228, 229),
        (32.0, 16, 457, 458),
        (5.0, 8, 29, 30),
    ],
    ids=["Gen3 x8 is too narrow for 100G", "Gen3 x16 fits it", "Gen4 x8 fits it", "Gen4 x16", "Gen5 x16 fits 400G", "Gen2 encodes by 8/10"],
)
def test_pcie_carries_what_is_left_of_encoding_and_headers(speed: float, width: int, least: float, most: float) -> None:
    goodput = pcie_goodput(PcieLink(speed=speed, width=width))
    assert goodput is not None
    assert least < goodput < most


def test_pcie_of_unknown_width_carries_nobody_knows_what() -> None:
    assert pcie_goodput(PcieLink(speed=16.0)) is None
    assert pcie_goodput(PcieLink(width=16)) is None


def test_slot_limits_the_card_and_the_card_the_slot() -> None:
    assert pcie_can(PcieLink(max_speed=16.0, max_width=16, slot_speed=8.0, slot_width=8)) == (8.0, 8)
    assert pcie_can(PcieLink(max_speed=8.0, max_width=8, slot_speed=32.0, slot_width=16)) == (8.0, 8)
    assert pcie_can(PcieLink(max_speed=16.0, max_width=16)) == (16.0, 16)
    assert pcie_can(PcieLink(slot_speed=16.0, slot_width=16)) is None


@pytest.mark.parametrize(
    ("speed", "tcp_buffer"),
    [(1000, 2**25), (10_000, 2**25), (25_000, 48 * 2**20), (40_000, 2**26), (50_000, 2**26), (100_000, 2**30), (800_000, 2**30)],
)
def test_buffers_are_those_of_the_next_lower_speed_in_the_table(speed: int, tcp_buffer: int) -> None:
    assert needs_of(speed).tcp_buffer == tcp_buffer


@pytest.mark.parametrize(
    ("options", "pace"),
    [
        ("maxrate 20000mbit", 20_000),
        ("limit 10000p maxrate 2.5Gbit quantum 18028", 2500),
        ("maxrate 800Kbit", 0.8),
        ("maxrate 1000000000bit", 1000),
        ("maxrate 1Tbit", 1_000_000),
        ("limit 10000p", None),
        ("", None),
    ],
)
def test_pace_is_read_in_all_of_tcs_units(options: str, pace: float | None) -> None:
    assert pace_of(options) == pytest.approx(pace)


def test_versions_are_compared_as_numbers() -> None:
    assert version_of("6.11.0-rc1") == (6, 11)
    assert version_of("6.8.0-45-generic") < (6, 11) < version_of("6.18.44-fc")
    assert version_of("") == version_of("master") == (0, 0)


def test_last_number_is_the_largest_of_a_tcp_buffer() -> None:
    assert last_number("4096\t131072\t6291456") == 6291456
    assert last_number("4096 max") is None
    assert last_number(" ") is None


@pytest.mark.parametrize(("speed", "text"), [(100_000, "100 Gb/s"), (2500, "2.5 Gb/s"), (100, "100 Mb/s")])
def test_speeds_are_said_as_people_say_them(speed: int, text: str) -> None:
    assert speed_text(speed) == text
