"""What ethtool sets of a NIC: rings, channels, coalescing and pause, on a NIC that is a table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from dtn_agent.ethtool import CHANNELS, COALESCE, PAUSE, RINGS, KernelNic, Row
from dtn_agent.tuning.interface import nic_setting
from dtn_agent.tuning.setting import Setting


@dataclass
class FakeNic:
    """A NIC as its driver keeps it: rows of numbers. `highest` is where a ring ends; above it the driver says no."""

    rows: dict[Row, list[int]] = field(default_factory=dict)
    highest: int = 8192

    def get(self, row: Row) -> list[int] | None:
        now = self.rows.get(row)
        return None if now is None else list(now)

    def set(self, row: Row, numbers: Sequence[int]) -> None:
        if row == RINGS and max(numbers) > self.highest:
            raise OSError(22, "Invalid argument")
        self.rows[row] = list(numbers)


def connectx() -> FakeNic:
    """As ConnectX-6 drivers tell: rings of 1024 of at most 8192, combined channels."""
    return FakeNic(
        {
            RINGS: [8192, 0, 0, 8192, 1024, 0, 0, 1024],
            CHANNELS: [0, 0, 0, 63, 0, 0, 0, 63],
            PAUSE: [0, 1, 0],
            COALESCE: [8, 128, 0, 0, 8, 128, 0, 0, 0, 1, 1, *([0] * 11)],
        }
    )


def setting(nic: FakeNic, name: str) -> Setting:
    found = nic_setting(nic, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "found", "wanted", "row", "place"),
    [
        ("rx_ring", "1024", "8192", RINGS, 4),
        ("tx_ring", "1024", "4096", RINGS, 7),
        ("channels", "63", "16", CHANNELS, 7),
        ("adaptive_rx", "on", "off", COALESCE, 9),
        ("pause_rx", "on", "off", PAUSE, 1),
        ("pause_tx", "off", "on", PAUSE, 2),
    ],
)
def test_setting_changes_its_own_number_and_no_other(name: str, found: str, wanted: str, row: Row, place: int) -> None:
    nic, before = connectx(), connectx()
    assert setting(nic, name).read() == found
    setting(nic, name).write(setting(nic, name).normal(wanted))
    assert setting(nic, name).read() == wanted
    changed = {(at, index) for at, numbers in nic.rows.items() for index, now in enumerate(numbers) if now != before.rows[at][index]}
    assert changed == {(row, place)}
    setting(nic, name).restore(found)
    assert nic == before


def test_driver_without_combined_channels_gets_as_many_to_receive_as_to_send() -> None:
    nic = FakeNic({CHANNELS: [8, 8, 0, 0, 4, 2, 0, 0]})
    assert setting(nic, "channels").read() == "4 2"
    setting(nic, "channels").write("8")
    assert setting(nic, "channels").read() == "8"
    assert nic.rows[CHANNELS] == [8, 8, 0, 0, 8, 8, 0, 0]


def test_what_differs_between_receiving_and_sending_is_put_back_so() -> None:
    nic = FakeNic({CHANNELS: [8, 8, 0, 0, 4, 2, 0, 0]})
    found = setting(nic, "channels").found()
    setting(nic, "channels").write("8")
    setting(nic, "channels").restore(found)
    assert nic.rows[CHANNELS] == [8, 8, 0, 0, 4, 2, 0, 0]


def test_drivers_no_is_an_error_in_its_words() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        setting(connectx(), "rx_ring").write("16384")


def test_driver_that_has_no_such_thing_reads_as_none() -> None:
    names = ("rx_ring", "channels", "adaptive_rx", "pause_rx")
    assert [setting(FakeNic(), name).read() for name in names] == [None] * 4


def test_loopback_has_none_of_these_and_a_name_that_nobody_has_neither() -> None:
    assert [KernelNic(name).get(row) for name in ("lo", "nobody") for row in (RINGS, PAUSE, CHANNELS, COALESCE)] == [None] * 8
