"""The table of tools: which options each has, and how those that it alone has are read."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from dtnctl.model.declared_tools import row_of
from dtnctl.model.tools import COMMON_OPTIONS, FILE_OPTIONS, TOOLS, Iperf3Options, RcloneOptions, Tool, ToolName
from dtnctl.model.transfer_options import TransferOptions


def test_the_names_that_a_file_may_write_are_those_of_the_table() -> None:
    assert set(get_args(ToolName)) == set(TOOLS)


def test_every_option_of_a_row_is_one_and_every_option_belongs_to_a_tool() -> None:
    known = {item.name for item in fields(TransferOptions)}
    assert {name for row in TOOLS.values() for name in row.options} | {*COMMON_OPTIONS, *FILE_OPTIONS} <= known
    assert {name for name in known if not any(row.takes(name) for row in TOOLS.values())} == set()


def test_a_measurement_has_no_options_of_copies() -> None:
    assert TOOLS["gridftp"].takes("verify")
    assert not TOOLS["iperf3"].takes("verify")
    assert TOOLS["iperf3"].takes("retries")


def test_options_of_a_tool_alone_are_read_with_defaults_and_not_converted() -> None:
    assert TOOLS["iperf3"].read_own(None) == Iperf3Options()
    assert TOOLS["iperf3"].read_own({"seconds": "1m", "reverse": True}) == Iperf3Options(60.0, reverse=True)
    for values, message in (
        ({"reverse": "yes"}, "validation error"),
        ({"seconds": 0}, "validation error"),
        ({"second": 1}, "iperf3 has no option `second`, only seconds, reverse, bidirectional"),
        (["seconds"], "write a mapping"),
    ):
        with pytest.raises(ValueError, match=message):
            TOOLS["iperf3"].read_own(values)


def test_only_a_server_has_ports_and_nuttcps_has_one_for_control_and_one_for_each_stream() -> None:
    assert {name: row.count_ports(4) for name, row in TOOLS.items() if row.has_server} == {
        "iperf3": 1,
        "nuttcp": 5,
        "rdma": 1,
        "rdma_bw": 1,
        "xrootd": 1,
    }
    assert TOOLS["gridftp"].count_ports(4) == 0


def test_a_tool_without_options_of_its_own_takes_none() -> None:
    assert TOOLS["rsync"].read_own(None) is None
    with pytest.raises(ValueError, match="tool rsync has no options of its own"):
        TOOLS["rsync"].read_own({"seconds": 1})


def test_options_of_a_tool_decide_whether_it_has_a_server() -> None:
    assert row_of("rclone", None) == row_of("rclone", RcloneOptions()) == TOOLS["rclone"]
    assert row_of("iperf3", Iperf3Options()) == TOOLS["iperf3"]
    row = row_of("rclone", TOOLS["rclone"].read_own({"protocol": "webdav"}))
    assert (row.has_server, row.count_ports(4), row.logs_in_at, row.server_programs) == (True, 1, (), ("rclone",))
    assert row.takes("concurrency")


@pytest.mark.parametrize("row", TOOLS.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("values", [[], "", 0, False, ["seconds"]])
def test_options_of_a_tool_are_a_mapping_or_nothing(row: Tool, values: object) -> None:
    with pytest.raises(ValueError, match="write a mapping"):
        row.read_own(values)
