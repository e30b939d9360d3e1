"""What `check` prints: the verdict first, who has it and what is free; names stay text."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.branches import Branch
from dtnctl.render.claims import render_claims, render_claims_comment
from dtnctl.render.context import RenderContext
from tests.render.claim_reports import CLEAN, REPORT
from tests.render.plans import obeyed


def test_text_has_the_verdict_the_collisions_and_the_new_claims() -> None:
    assert (
        render_claims(REPORT, RenderContext(width=120))
        == """\
VERDICT  1 claim collides · 1 claim that later branches want, too · 1 collision among other branches ·
2 open branches compared with origin/main 77ab012
OF       pull request #88

✖ ports 50100-50199/tcp on dtn1 (session run15)                                           state/sessions/run15.yaml:9:12
    E0418 pull request #87 (branch run14) claimed it first: session run14 on dtn1 (state/sessions/run14.yaml:3)
    try 50200-50299 or 50300-50399 for `data_port_range`

! virtual functions of ens1f0 on dtn1 (session run15)                                      state/sessions/run15.yaml:4:3
    E0419 there are 8, and 9 are claimed: 6 by the base, 2 by this branch, 1 by branch x (later)
    try 2 left for this branch; more of them by `vfs: {ens1f0: …}` in state/endpoints/dtn1.yaml

CLAIM                  OF                                   SESSION        FIELD            FILE
2                      virtual functions of ens1f0 on dtn1  run15 on dtn1  data_nets        state/sessions/run15.yaml:4
ports 50100-50199/tcp  dtn1                                 run15 on dtn1  data_port_range  state/sessions/run15.yaml:9

note: pull request #88 asks for 8 CPUs on dtn1, and how many there are is not declared: its plan decides
note: 2 left out: without a commit for longer than --max-age
note: pull request #88: state/sessions/s.yaml was changed in the base, too
"""
    )


def test_without_collisions_the_verdict_is_all() -> None:
    assert render_claims(CLEAN, RenderContext(width=120)) == (
        "VERDICT  no claim collides · 1 open branch compared with main 77ab012\nOF       every branch; the checkout is main\n"
    )


def test_a_terminal_without_our_signs_gets_ascii_alone() -> None:
    assert render_claims(REPORT, RenderContext(width=80, ascii=True)).isascii()


def test_comment_is_a_table_whose_names_stay_text_and_it_fits() -> None:
    named = replace(REPORT, base=Branch("main|<!-- @all", "77ab0120000"), collisions=REPORT.collisions * 2000)
    text = render_claims_comment(named)
    assert len(text) <= 65_536
    assert text.count("@all") == text.count("&#124;`<!-- @all 77ab012`") == 1
    assert text.startswith("<!-- dtnctl:check subject=pull-request-88 -->\n### dtnctl check · ✖ ")
    assert "Shortened to fit" in text


def test_nothing_in_it_is_obeyed_by_a_runner() -> None:
    named = replace(REPORT, subject="::error::x", base=Branch("::warning::", "1"))
    assert not obeyed(render_claims(named, RenderContext(width=120)))
