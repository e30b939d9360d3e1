"""The table of a benchmark of networks, and what is said of the machines."""

from __future__ import annotations

import json

from dtnctl.benchmarks.figures import NetworkFigures, RowFigures
from dtnctl.benchmarks.iperf3 import Load, Sample
from dtnctl.benchmarks.machines import Machine, describe_script, read_machine, share_a_machine
from dtnctl.benchmarks.rows import Ends, LeftOut, Row
from dtnctl.benchmarks.table import bit_rate_text, network_table
from dtnctl.render.bench import network_document, render_table, render_table_markdown
from dtnctl.render.context import RenderContext

PRINTED = """kernel=Linux 6.1.0
cpus=2
model= Some  Processor
memory=1048576
boot=b1
load=0.10
program=iperf 3.12 (cJSON 1.7.15)
a greeting
"""
MACHINES = (
    read_machine("a", "20.10.24", PRINTED, ("eth1: igbvf",)),
    read_machine("b", "28.0.1", PRINTED),
)


def sample(bits: float, sender: float = 0.5, host: float | None = None) -> Sample:
    return Sample(bits, 3, sender, 0.25, host, host)


NATIVE = RowFigures(Row("native"), "10.0.0.2", (sample(10e9), sample(8e9), sample(12e9)))
HOST = RowFigures(Row("host", "host"), "10.0.0.2", (sample(9e9, host=2.0),), ("iperf3: no route", "iperf3: no route"))
SLOW = RowFigures(Row("macvlan", "data"), "10.20.0.3", (sample(500e6),))
DEAD = RowFigures(Row("sriov", "fast"), "", (), ("no virtual function",))
LEFT = (LeftOut(Row("ipvlan", "other"), "b does not say in `interfaces` which one carries it"),)


def figures(*rows: RowFigures, **more: object) -> NetworkFigures:
    values = {"left_out": LEFT, "machines": MACHINES, "notes": ("a note",)} | more
    return NetworkFigures(Ends("a", "b"), "dtn:1", Load(10, 4), 3, rows, **values)  # type: ignore[arg-type]


def test_rows_are_compared_with_native_median_by_median() -> None:
    table = network_table(figures(NATIVE, HOST, SLOW, DEAD))
    assert table.titles[5] == "OF NATIVE"
    assert [row[:8] for row in table.rows] == [
        ("native", "10.00 Gb/s", "8.00 Gb/s", "12.00 Gb/s", "40.0%", "100.0%", "3", "0.50"),
        ("host", "9.00 Gb/s", "9.00 Gb/s", "9.00 Gb/s", "0.0%", "90.0%", "3", "0.50"),
        ("macvlan data", "500.0 Mb/s", "500.0 Mb/s", "500.0 Mb/s", "0.0%", "5.0%", "3", "0.50"),
        ("sriov fast", "-", "-", "-", "-", "-", "-", "-"),
    ]
    assert [row[9:] for row in table.rows] == [("-", "-", "3 of 3"), ("2.00", "2.00", "1 of 3"), ("-", "-", "1 of 1"), ("-", "-", "0 of 1")]


def test_without_native_they_are_compared_with_host_and_without_both_with_nothing() -> None:
    assert network_table(figures(HOST, SLOW)).titles[5] == "OF HOST"
    alone = network_table(figures(SLOW))
    assert (alone.titles[5], alone.rows[0][5]) == ("OF NATIVE", "-")


def test_below_stand_failures_once_what_is_left_out_the_machines_and_where_it_went() -> None:
    below = network_table(figures(NATIVE, HOST)).below
    assert below[:5] == (
        "host failed: iperf3: no route",
        "ipvlan other is left out: b does not say in `interfaces` which one carries it",
        "a: 2 CPUs (Some Processor), 1.0 GiB, Linux 6.1.0, engine 20.10.24, iperf 3.12 (cJSON 1.7.15), eth1: igbvf, load average 0.10",
        "b: 2 CPUs (Some Processor), 1.0 GiB, Linux 6.1.0, engine 28.0.1, iperf 3.12 (cJSON 1.7.15), load average 0.10",
        "a note",
    )
    assert "native reached b at 10.0.0.2" in below


def test_a_run_that_was_stopped_says_so_and_one_without_rows_explains_no_columns() -> None:
    assert network_table(figures(NATIVE, is_whole=False)).below[0].startswith("stopped before the last round")
    assert network_table(figures()).below[-1] == "a note"


def test_the_heading_says_what_all_rows_had_in_common() -> None:
    assert network_table(figures(NATIVE)).heading == "a to b: TCP, 4 streams, 10 s a test, 3 rounds, image dtn:1"
    pinned = NetworkFigures(Ends("a", "b"), "dtn:1", Load(1, 1, "2-3"), 1, ())
    assert network_table(pinned).heading == "a to b: TCP, 1 stream, 1 s a test, 1 round, image dtn:1, CPUs 2-3"


def test_rates_are_decimal() -> None:
    assert [bit_rate_text(999_940_000), bit_rate_text(1e9), bit_rate_text(99.3e9)] == ["999.9 Mb/s", "1.00 Gb/s", "99.30 Gb/s"]


def test_what_a_machine_does_not_print_stays_unknown() -> None:
    silent = read_machine("a", "20.10", "")
    assert silent == Machine("a", "20.10")
    assert silent.text == "0 CPUs, 0.0 GiB, engine 20.10"
    assert read_machine("a", "1", "cpus=1\n").text.startswith("1 CPU,")


def test_endpoints_on_one_kernel_share_a_machine() -> None:
    assert share_a_machine(MACHINES)
    assert not share_a_machine((Machine("a", "1"), Machine("b", "1")))
    assert "xyz --version" in describe_script("xyz")


def test_text_leaves_columns_out_before_it_is_wider_than_the_terminal_and_ascii_is_ascii() -> None:
    text = render_table(network_table(figures(NATIVE, LEFT and HOST)), RenderContext(width=80, ascii=True))
    assert text.isascii()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "left out to save room" in text
    assert render_table(network_table(figures(left_out=(), machines=(), notes=())), RenderContext()).count("\n") == 1


def test_markdown_is_a_table_with_the_chart_and_what_is_below_as_a_list() -> None:
    text = render_table_markdown(network_table(figures(NATIVE, DEAD)), "figures.png")
    lines = text.splitlines()
    assert lines[0] == "a to b: TCP, 4 streams, 10 s a test, 3 rounds, image dtn:1."
    assert lines[2].startswith("| MODE | MEDIAN | LOW |")
    assert lines[3].startswith("| :-- | --: |")
    assert lines[5].startswith("| sriov fast | - | - |")
    assert "![chart of these figures](figures.png)" in lines
    assert "- a note" in lines
    bare = render_table_markdown(network_table(figures()))
    assert "|" not in bare.replace("`|`", "")


def test_the_document_has_every_sample_and_the_same_statistics() -> None:
    document = json.loads(json.dumps(network_document(figures(NATIVE, DEAD))))
    assert (document["kind"], document["base"], document["complete"]) == ("bench-network", "native", True)
    native, dead = document["rows"]
    assert native["rate"] == {"count": 3, "median": 1.25e9, "low": 1e9, "high": 1.5e9, "spread": 0.4}
    assert native["share"] == 1.0
    assert len(native["samples"]) == 3
    assert (dead["rate"], dead["share"], dead["failures"]) == (None, None, ["no virtual function"])
    assert document["left_out"][0]["mode"] == "ipvlan"
    assert network_document(figures())["base"] is None
