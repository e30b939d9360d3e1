"""The sample policies of docs/policies judge plans as docs/policy.md says. They need conftest, which is no package of Debian."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.json import plan_document, render_json
from dtnctl.runtime.policy import ask_policy
from tests.planning.building import applied, plan, site, world
from tests.planning.transfers.declared import DECLARED, SESSION, idle, running

DOCS = Path(__file__).parents[2] / "docs"
SAMPLES = sorted((DOCS / "policies").glob("*.rego"))
DIGEST = f"dtn@sha256:{'0' * 64}"
needs_conftest = pytest.mark.skipif(
    shutil.which("conftest") is None, reason="conftest is not installed (a Go program, no package of Debian)"
)


def session(settings: str = "{}", image: str = DIGEST) -> str:
    return f"# sessions/s\nendpoints: [a]\nimage: {image}\nsettings: {settings}\n"


def first(text: str, image: str = DIGEST) -> Plan:
    return plan(site(text), world(site(text), images=(image,)))


def many(count: int) -> Plan:
    """A plan that removes that many sessions, each from one endpoint."""
    text = "".join(
        f"# sessions/s{number}\nendpoints: [a]\nimage: dtn:1\nsettings: {{ctrl_port_range: [{31000 + number}, {31000 + number}]}}\n"
        for number in range(count)
    )
    return plan(site("# profiles/default\n{}\n"), applied(site(text)), prune="100%")


def to_archive() -> Plan:
    three = "".join(
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {{volumes: ['*']}}\n"
        for name in ("a", "archive1")
    )
    text = (three + DECLARED).replace("[a, b]", "[a, archive1]").replace("b:/data", "archive1:/data")
    made = applied(site((three + SESSION).replace("[a, b]", "[a, archive1]")))
    made._ensure_ledger(made.hosts["a"])
    return plan(site(text), made)


def interrupting() -> Plan:
    return plan(site(DECLARED.replace("user: dtn", "user: dtn\nsettings: {init: true}")), running(), interrupt=("t",))


PLANS = {
    "host_network": (lambda: first(session("{mgmt_net: host}")), "lab.s on a is on the host's network"),
    "images_by_digest": (lambda: first(session(image="dtn:1"), "dtn:1"), "lab.s on a has an image without a digest: dtn:1"),
    "removals": (lambda: many(3), "3 sessions would be removed, at most 2 may be: s0, s1, s2"),
    "transfers": (to_archive, "transfer t writes to archive1"),
}
GOOD = {
    "host_network": lambda: first(session()),
    "images_by_digest": lambda: first(session()),
    "removals": lambda: many(2),
    "transfers": lambda: plan(site(DECLARED), idle()),
}


def test_every_sample_is_on_the_page_and_tried() -> None:
    page = (DOCS / "policy.md").read_text(encoding="utf-8")
    assert {path.stem for path in SAMPLES} == PLANS.keys() == GOOD.keys()
    assert set(re.findall(r"\(policies/(\w+)\.rego\)", page)) == PLANS.keys()


def test_the_keys_of_actions_that_the_page_names_are_in_the_documents() -> None:
    page = (DOCS / "policy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(CreateContainer|CreateNetwork|StartTransfer)` \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == 3
    actions = [step["action"] for made in (to_archive(), _with_network(), first(session())) for step in _document(made)["steps"]]
    for kind, keys in rows:
        action = next(item for item in actions if item["type"] == kind)
        for key in re.findall(r"`([\w.\[\]]+)`", keys):
            found = action
            for part in key.split("."):
                assert part.removesuffix("[]") in found, (kind, key)
                found = found[part.removesuffix("[]")]
                if part.endswith("[]"):
                    break


def _with_network() -> Plan:
    return first("# networks/net\ndriver: bridge\nsubnet: 10.0.0.0/24\n" + session("{data_nets: [net]}"))


def _document(made: Plan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render_json(plan_document(made, RenderContext())))
    return document


def _judge(made: Plan, sample: str) -> tuple[str, tuple[str, ...]]:
    command = f"conftest test --no-color --policy '{DOCS / 'policies' / sample}.rego' -"
    found = ask_policy(command, json.dumps(_document(made)), os.environ)
    return found.verdict, found.reasons


@needs_conftest
@pytest.mark.parametrize("sample", PLANS)
def test_a_sample_denies_what_it_is_about_and_passes_the_rest(sample: str) -> None:
    bad, reason = PLANS[sample]
    assert _judge(bad(), sample) == ("denied", (reason,))
    assert _judge(GOOD[sample](), sample) == ("passed", ())


@needs_conftest
def test_a_change_that_cuts_a_transfer_off_is_denied_and_one_that_waits_is_not() -> None:
    made = interrupting()
    assert made.changes[0].cuts == (Cut("t", "a", is_resumable=False),)
    verdict, reasons = _judge(made, "transfers")
    assert (verdict, len(reasons)) == ("denied", 2)
    waiting = plan(site(DECLARED.replace("user: dtn", "user: dtn\nsettings: {init: true}")), running())
    assert _judge(waiting, "transfers") == ("passed", ())
