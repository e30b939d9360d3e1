"""The tables of the live view: what is known as it is, what is not as `unknown`, sorted and filtered as asked for."""

from __future__ import annotations

import pytest

from dtnctl.cli.top.tables import Table
from dtnctl.cli.top.text import render_frame
from dtnctl.render.context import RenderContext
from tests.cli.top import frames
from tests.cli.top.frames import frame, large_frame
from tests.planning import dtns
from tests.planning.machines import pf


def _table(name: str, *, silent: bool = False) -> Table:
    return next(table for table in frame(silent=silent).tables if table.name == name)


def _texts(table: Table, words: str = "", column: int | None = None, *, is_reversed: bool = False) -> list[list[str]]:
    return [[cell.text for cell in line.cells] for line in table.chosen(words, column, is_reversed=is_reversed)]


def test_one_picture_as_text_fits_eighty_columns() -> None:
    assert (
        render_frame(frame(silent=True), RenderContext(width=80))
        == """\
lab · 2 endpoints, 1 silent · 2 sessions · 2 transfers run

ENDPOINT  STATE    ENGINE   AGENT    CPUS HELD  SESSIONS  LEASE
a         answers           0.1.0         3/32         1  free
b         silent   unknown  unknown    unknown   unknown  unknown

ENDPOINT  INTERFACE          IN        OUT     SPEED  LOAD  LOST/S  NETWORKS
a         ens1f0     80.00 Gb/s  4.00 Gb/s  100 Gb/s  80 %       3  star

SESSION  STATE    ENDPOINTS  IMAGE  ERROR
two      UNKNOWN  b          dtn:1  b: no answer within 5 s
one      STARTED  a          dtn:1

TRANSFER  STATE         DONE     MOVED       RATE     LEFT  OF LIMIT
now       running       30 %  2.79 GiB  8.00 Gb/s      7 s      80 %
quiet     running    unknown   unknown    unknown  unknown   unknown
done      succeeded    100 %  4.00 KiB  8.00 Mb/s            unknown
late      pending
"""
    )


def test_ascii_holds_for_the_picture() -> None:
    assert render_frame(frame(), RenderContext(width=140, ascii=True)).isascii()


def test_an_endpoint_without_an_agent_has_unknown_cpus_and_its_interfaces_unknown_rates() -> None:
    assert _texts(_table("endpoints"))[1][4] == "unknown"
    assert [line.cells[0].text for line in _table("interfaces").lines] == ["a"]


def test_numbers_are_sorted_as_numbers_and_what_is_unknown_is_last_in_both_directions() -> None:
    transfers = _table("transfers")
    assert [row[0] for row in _texts(transfers, column=4)] == ["done", "now", "quiet", "late"]
    assert [row[0] for row in _texts(transfers, column=4, is_reversed=True)] == ["now", "done", "quiet", "late"]
    assert [row[0] for row in _texts(transfers, column=0)] == ["done", "late", "now", "quiet"]
    assert [row[0] for row in _texts(transfers)] == ["now", "quiet", "done", "late"]


@pytest.mark.parametrize(
    ("star", "pinned", "load"),
    [
        (frames.STAR, frames.PINNED, "80 %"),
        (dtns.STAR, frames.PINNED, "unknown"),
        (frames.STAR, frames.PINNED.replace("}", ", devices: [uverbs]}"), "unknown"),
    ],
    ids=["by the interface", "by a virtual function", "by RDMA"],
)
def test_the_load_of_a_card_is_unknown_where_a_session_goes_past_its_counters(star: str, pinned: str, load: str) -> None:
    table = next(table for table in frame(star=star, pinned=pinned).tables if table.name == "interfaces")
    assert [row[5] for row in _texts(table)] == [load]


def test_the_load_of_a_card_is_unknown_where_a_virtual_machine_has_a_function_of_it() -> None:
    card = pf("ens1f0", 1)
    assert card.sriov is not None
    first, *others = card.sriov.vfs
    taken = card.sriov.model_copy(update={"vfs": (first.model_copy(update={"driver": "vfio-pci"}), *others)})
    table = next(table for table in frame(card=card.model_copy(update={"sriov": taken})).tables if table.name == "interfaces")
    assert [row[5] for row in _texts(table)] == ["unknown"]


def test_a_filter_looks_in_every_cell_whatever_its_capitals() -> None:
    assert [row[0] for row in _texts(_table("transfers"), "RSYNC")] == []
    assert [row[0] for row in _texts(_table("transfers"), "B:/X")] == ["done"]


def test_sessions_with_trouble_come_first() -> None:
    assert [row[0] for row in _texts(_table("sessions", silent=True))] == ["two", "one"]


def test_details_have_all_that_is_known_and_no_empty_field() -> None:
    details = dict(_table("transfers").lines[2].details)
    assert details["name"] == "done"
    assert details["bytes per second"] == "1,000,000"
    assert "" not in details.values()
    interface = dict(_table("interfaces").lines[0].details)
    assert (interface["pci"], interface["networks"]) == ("0000:b1:00.0", "star")


def test_many_rows_stay_rows() -> None:
    assert [len(table.lines) for table in large_frame().tables] == [100, 1000, 0]
