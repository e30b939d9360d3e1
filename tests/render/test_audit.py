"""What was found on hosts that no file declares, as text: findings, what carries data, what is between the hosts, and YAML."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.audit import Audit
from dtnctl.render.audit import render_audit
from dtnctl.render.context import RenderContext
from dtnctl.render.text import cells
from tests.render.audits import APART, AUDIT, FILES, ONE, UNTRIED, WARNED

CONTEXT = RenderContext(width=120)


def text(audit: Audit, context: RenderContext = CONTEXT) -> str:
    return render_audit(audit, FILES, context)


def test_typical_report_reads_like_this() -> None:
    report = text(AUDIT)
    assert report.startswith(
        """\
dtn1: 1 error, 1 warning of 69 checked · fastest data NIC ens1f0 100 Gb/s · 1 not known (--all-items lists them)
dtn2: nothing wrong of 69 checked · fastest data NIC ens1f0 100 Gb/s · 1 not known (--all-items lists them)

✖ error    net.rmem_max of the host @ dtn1
      found     212992
      expected  net.core.rmem_max at least 2147483647
      why       Movers that ask for a receive buffer get no more than this, and a window smaller than rate × RTT leaves
                the path idle. https://github.com/bltierney/fasterdata-tuning
      fix       sysctl -w net.core.rmem_max=2147483647
"""
    )
    assert report.endswith(
        """\

dtn1: what carries data
    ens1f0 10.9.0.1/24 MTU 9000 100 Gb/s
dtn1: what was not seen
    - the login is not root (its user has number 1000): what only root may read is not known
    - which processes listen on ports: those of other users are closed to this login

dtn2: what carries data
    ens1f0 10.9.0.2/24 MTU 9000 100 Gb/s

from dtn1 to dtn2
    NETWORK      NEAR             FAR               MTU      RATE  PASSES
    10.9.0.0/24  ens1f0 10.9.0.1  ens1f0 10.9.0.2  9000  100 Gb/s    1500

✖ error    ens1f0 to ens1f0
      found  packets of more than 1500 bytes are lost between them, and both interfaces send 9000
      fix    every switch on the way to 9000 and more, or both interfaces to 1500

2 files would declare this (--write writes them)

# state/endpoints/dtn1.yaml
# a note
docker: ssh://root@dtn1

# state/networks/n.yaml
driver: macvlan
"""
    )


def test_one_host_has_nothing_between() -> None:
    report = text(ONE)
    assert "dtn2: nothing wrong" in report
    assert "from " not in report


def test_what_was_not_tried_says_why() -> None:
    assert "    - not tried: it may not\n" in text(UNTRIED)
    assert "not tried: they have no addresses that could reach each other" in text(APART)


def test_warning_between_hosts_has_its_sign() -> None:
    assert "! warning  ens1f0 to ens1f0\n" in text(WARNED)


def test_host_without_a_nic_says_how_to_name_one() -> None:
    (host,) = ONE.hosts
    bare = replace(ONE, hosts=(replace(host, carried=()),))
    assert "no NIC with a link was found; --interface names one" in text(bare)


def test_frames_that_differ_are_both_shown_and_what_is_not_known_is_said() -> None:
    (pair,) = AUDIT.pairs
    far = replace(pair.far, mtu=1500, speed=None, vlan=222, address="")
    changed = replace(AUDIT, pairs=(replace(pair, subnet="", near=replace(pair.near, vlan=222), far=far), replace(pair, subnet="")))
    assert "VLAN 222  ens1f0 10.9.0.1  ens1f0           9000/1500  not known    1500" in text(changed)
    assert "routed    ens1f0 10.9.0.1  ens1f0 10.9.0.2       9000   100 Gb/s    1500" in text(changed)
    (first, second) = AUDIT.hosts
    assert "ens1f0 no address VLAN 222 MTU 1500 rate not known" in text(replace(AUDIT, hosts=(first, replace(second, carried=(far,)))))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_lines_fit_the_terminal_but_for_yaml_that_is_there_to_be_copied(width: int) -> None:
    report = text(AUDIT, RenderContext(width=width)).partition("files would declare")[0]
    assert [line for line in report.splitlines() if cells(line) > width and "http" not in line] == []


def test_what_a_host_calls_its_interfaces_is_not_obeyed_by_a_terminal() -> None:
    (host,) = ONE.hosts
    (nic,) = host.carried
    odd = replace(ONE, hosts=(replace(host, carried=(replace(nic, interface="e\x1b[2J"),)),))
    assert "\x1b" not in render_audit(odd, (("x.yaml", "a: \x1b[2J\n"),), CONTEXT)
    assert text(AUDIT, RenderContext(width=120, ascii=True)).isascii()
