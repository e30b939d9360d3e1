"""The doctor's report: the verdict first, then what is wrong, why, and what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dtnctl.model.findings import Examination
from dtnctl.render.context import RenderContext
from dtnctl.render.doctor import render_doctor
from dtnctl.render.findings_json import doctor_document
from dtnctl.render.json import render_json
from dtnctl.render.text import PAINT, cells
from tests.planning.doctor.faults import cpus, deep, facts, nic, own_sysctl
from tests.planning.doctor.scene import Scene
from tests.render.examinations import EXAMINATIONS, ODD, SILENT

CONTEXT = RenderContext(width=120)


def test_typical_report_reads_like_this() -> None:
    scene = Scene()
    facts(scene)["sysctls"]["net.core.rmem_max"] = "212992"
    nic("ens1f0", mtu=1500)(scene)
    deep("interfaces", "ens1f0", "rings", rx=1024)(scene)
    own_sysctl("tcp_mtu_probing", "0")(scene)
    cpus(smt=True)(scene)
    facts(scene)["system"]["clock_synchronized"] = None
    assert (
        render_doctor([scene.examine()], CONTEXT)
        == """\
a: 3 errors, 2 warnings, 3 notes of 172 checked · fastest data NIC ens1f0 100 Gb/s ·
  1 not known (--all-items lists them)

✖ error    net.rmem_max of the host                                                             state/endpoints/a.yaml:5
      found     212992
      expected  net.core.rmem_max at least 2147483647
      why       Movers that ask for a receive buffer get no more than this, and a window smaller than rate × RTT leaves
                the path idle. https://github.com/bltierney/fasterdata-tuning
      fix       tuning: {sysctls: {net.core.rmem_max: 2147483647}}

✖ error    nic.mtu of NIC ens1f0                                                                state/endpoints/a.yaml:5
      found     1500
      expected  at least 9000, as network child declares
      why       Frames that are larger than what they leave by are lost, so connections open and then hang.
                https://fasterdata.es.net/network-tuning/mtu-issues/
      fix       tuning: {interfaces: {ens1f0: {mtu: 9000}}}

✖ error    nic.mtu_below of NIC ens1f0v0                                                        state/endpoints/a.yaml:5
      found     9000
      expected  at most 1500, the MTU of ens1f0
      why       What is below drops the larger frames, without an error.
                https://github.com/k8snetworkplumbingwg/sriov-cni
      fix       tuning: {interfaces: {ens1f0: {mtu: 9000}}}

! warning  nic.rings of NIC ens1f0                                                              state/endpoints/a.yaml:5
      found     rx 1024, tx 8192
      expected  rx 8192, tx 8192
      why       A small ring overflows while its CPU is busy, and the NIC drops.
                https://fasterdata.es.net/host-tuning/linux/
      fix       tuning: {interfaces: {ens1f0: {rx_ring: 8192}}}

! warning  container.tcp_mtu_probing of container lab.s                                          state/sessions/s.yaml:3
      found     0
      expected  net.ipv4.tcp_mtu_probing 1 or 2
      why       A new network namespace starts from the kernel's defaults and not from the host's tuning: a path that
                swallows ICMP makes its connections hang. https://docs.kernel.org/networking/ip-sysctl.html
      fix       sysctls: {net.ipv4.tcp_mtu_probing: "1"} in its profile

i note     cpu.smt of the host                                                                  state/endpoints/a.yaml:5
      found     on
      expected  off
      why       Two threads of a core share what a stream needs for itself.
                https://fasterdata.es.net/host-tuning/linux/100g-tuning/
      fix       tuning: {smt: false}

i note     nvme.mtu of volume far                                                               state/endpoints/a.yaml:1
      found     1500 on ens1f0
      expected  at least 9000
      why       Small packets cost both hosts more interrupts and CPU time for the same bytes.
                https://fasterdata.es.net/network-tuning/mtu-issues/
      fix       tuning: {interfaces: {ens1f0: {mtu: 9000}}}

i note     nvme.mtu of volume near                                                              state/endpoints/a.yaml:1
      found     1500 on ens1f0
      expected  at least 9000
      why       Small packets cost both hosts more interrupts and CPU time for the same bytes.
                https://fasterdata.es.net/network-tuning/mtu-issues/
      fix       tuning: {interfaces: {ens1f0: {mtu: 9000}}}
"""
    )


def test_nothing_wrong_is_one_line() -> None:
    text = render_doctor([Scene().examine()], CONTEXT)
    assert text == "a: nothing wrong of 173 checked · fastest data NIC ens1f0 100 Gb/s\n"


def test_endpoint_that_was_not_examined_says_why() -> None:
    assert render_doctor([SILENT], CONTEXT) == "c: not examined: connection refused\n"


def test_all_verdicts_come_before_all_details() -> None:
    lines = render_doctor(EXAMINATIONS, replace(CONTEXT, width=200)).splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["a", "b", "c"]
    assert lines[3] == ""
    assert "@ a" in lines[4]


def test_all_items_are_a_table_with_what_is_right_and_what_is_not_known() -> None:
    text = render_doctor(EXAMINATIONS[:1], replace(CONTEXT, show_all=True))
    table = text.partition("all items of a (4)\n")[2].splitlines()
    assert [line.split()[:1] for line in table] == [["ITEM"], ["net.rmem_max"], ["cpu.smt"], ["nic.duplex"], ["cpu.turbo"]]
    assert "unknown    not known" in table[-1]
    assert "--all-items" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("show_all", [False, True])
def test_lines_fit_where_words_allow(width: int, show_all: bool) -> None:
    text = render_doctor(EXAMINATIONS, replace(CONTEXT, width=width, show_all=show_all))
    too_long = [line for line in text.splitlines() if cells(line) > width and len(line.split()) > 1 and "https://" not in line]
    assert [line for line in too_long if "tuning:" not in line] == []


def test_colour_only_repeats_what_words_say() -> None:
    plain = render_doctor(EXAMINATIONS, replace(CONTEXT, show_all=True))
    painted = render_doctor(EXAMINATIONS, replace(CONTEXT, show_all=True, color=True))
    assert painted != plain
    assert PAINT.sub("", painted) == plain


def test_nothing_of_a_host_obeys_the_terminal() -> None:
    for ascii_only in (False, True):
        text = render_doctor([ODD], replace(CONTEXT, ascii=ascii_only, show_all=True))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert text.isascii() or not ascii_only


def test_json_has_everything_and_tells_unknown_from_none() -> None:
    document = json.loads(render_json(doctor_document(EXAMINATIONS)))
    first = document["endpoints"][0]
    assert first["summary"] == {"checked": 3, "ignored": 1, "error": 1, "warning": 0, "info": 1, "ok": 1, "unknown": 1}
    assert [finding["actual"] for finding in first["findings"]] == ["212992", "on", "full", None]
    assert first["findings"][0]["source"].startswith("https://")


def test_json_has_the_same_findings_as_the_text() -> None:
    text = " ".join(render_doctor(EXAMINATIONS, replace(CONTEXT, width=10_000)).split())
    for endpoint in doctor_document(EXAMINATIONS)["endpoints"]:
        for finding in endpoint["findings"]:
            if finding["severity"] in ("error", "warning", "info"):
                assert all(finding[key] in text for key in ("check", "subject", "expected", "actual", "why", "source", "fix", "place"))


def test_slow_nic_is_said_in_its_own_unit() -> None:
    assert render_doctor([Examination("a", nic="eth0", speed=100)], CONTEXT).endswith("fastest data NIC eth0 100 Mb/s\n")
