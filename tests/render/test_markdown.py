"""The comment of a pull request: what it says, how long it gets, and that what others wrote stays text."""

# ruff: noqa: E501  # a paragraph and a row of Markdown are one line

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.head import Head
from dtnctl.model.plan import Change, Plan, Power
from dtnctl.model.policy import PolicyResult, PolicyVerdict
from dtnctl.render.context import RenderContext
from dtnctl.render.markdown import LIMIT, plan_marker, render_plan_comment
from dtnctl.render.summary import group_changes
from tests.render.plans import BY_HAND, CREATE, DANGER, DRIFT, EMPTY, NASTY, PLANS, REPLACE, TEXT, TRANSFER, endpoint, obeyed, plan
from tests.render.reading import ACTIVE, Reading

CONTEXT = RenderContext(
    head=Head("4f2c1e9" + "0" * 33, "main"), version="0.1.0", reproduce="dtnctl plan -C site", details="artifact plan.json"
)
OUR_TAGS = {
    "p",
    "h3",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "blockquote",
    "ul",
    "li",
    "strong",
    "code",
    "pre",
    "details",
    "summary",
    "sub",
}

DANGER_COMMENT = """\
<!-- dtnctl:plan site=scinet hash=0123456789abcdef -->
### dtnctl plan · scinet · 1 change in 1 session · ⚠ 1 destroy · ⚠ 1 blocked

> **Blocked (1)**
> - **Blocked** `session/run15` on dtn-a — E0412; it mounts /etc, the owner allows /nvme; state/endpoints/dtn-a.yaml:9; fix: ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml

> **Needs a careful look**
> - **Destroy** `session/old-mirror` on dtn-c — no file state/sessions/old-mirror.yaml any more; interrupts: old-mirror on dtn-c ends
> - **Endpoint** dtn-d is silent (ssh: connect to host dtn-d port 22: No route to host), nothing is planned there
> - **Endpoint** `dtn-c is locked by alice@ci-7, apply of 4f2c1e9`
> - **Note** network old222 on dtn-c is used no more but stays: postgres, not ours, is on it

| Endpoint | Sessions | + | ~ | ± | − | ▶ | ✖ | Ports | State |
|---|---|--:|--:|--:|--:|--:|--:|---|---|
| dtn-a | 6 | 0 | 0 | 0 | 0 | 0 | 1 | 12 | live |
| dtn-c | 3 → 2 | 0 | 0 | 0 | 1 | 0 | 0 | 6 → 4 | ⚠ locked by `alice@ci-7, apply of 4f2c1e9` |
| dtn-d | ? | 0 | 0 | 0 | 0 | 0 | 0 | ? | ⚠ silent: ssh: connect to host dtn-d port 22: No route to host |

**Drift:** 0 changes · **Unchanged:** 1 object

<details><summary>✖ <code>session/run15</code> @ <code>dtn-a</code></summary>

```diff
# state/endpoints/dtn-a.yaml:9
! E0412  it mounts /etc, the owner allows /nvme
  fix    ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml
```

</details>
<details><summary>- <code>session/old-mirror</code> @ <code>dtn-c</code></summary>

```diff
  what        removes container scinet.old-mirror, running
  why         no file state/sessions/old-mirror.yaml any more
# interrupts  old-mirror on dtn-c ends
```

</details>
<details><summary>Unchanged (1)</summary>

```
session/climate @ dtn-a
```

</details>

<sub>HEAD 4f2c1e9 on main (clean) · 2 of 3 endpoints answered · plan hash `0123456789abcdef` · dtnctl 0.1.0 · reproduce: `dtnctl plan -C site` · do exactly this: `dtnctl apply --expect 0123456789abcdef` · all of it: artifact plan.json</sub>
"""


def test_comment_reads_as_written_here() -> None:
    assert render_plan_comment(DANGER, CONTEXT).replace(DANGER.hash, "0123456789abcdef") == DANGER_COMMENT


def test_no_changes_is_one_line_below_the_marker() -> None:
    marker, line, end = render_plan_comment(EMPTY, CONTEXT).split("\n")
    assert marker == f"<!-- dtnctl:plan site=scinet hash={EMPTY.hash} -->"
    assert line == "**dtnctl plan** · scinet · No changes. 3 objects match. · 1 transfer did not succeed"
    assert end == ""


def test_comment_is_found_again_by_its_marker_and_only_by_that_of_its_site() -> None:
    assert render_plan_comment(CREATE, CONTEXT).startswith(plan_marker("scinet"))
    assert not render_plan_comment(replace(CREATE, site="scinet-2"), CONTEXT).startswith(plan_marker("scinet"))


def test_new_claims_are_a_table() -> None:
    text = render_plan_comment(CREATE, CONTEXT)
    assert (
        "| `session/run14` | dtn-b | image `dtnaas/gct:latest` · ctrl port `30001` · data ports `50100-50199` · star222 ipv4 `192.168.2.65` |"
    ) in text


def test_what_a_transfer_says_of_itself_is_no_claim() -> None:
    assert "New claims" not in render_plan_comment(TRANSFER, CONTEXT)


def test_only_a_transfer_that_starts_wants_a_careful_look() -> None:
    text = render_plan_comment(TRANSFER, CONTEXT)
    assert "· ▶ 1 transfer will start ·" in text
    assert (
        "> - **Starts on merge** `transfer/copy` on dtn-a — `generation 1 starts once: dtn-a:/data/1T → dtn-b:/data/1T_2 by gridftp`; no record of it;"
    ) in text
    assert "`transfer/old`" not in text


def test_update_that_interrupts_wants_a_careful_look() -> None:
    (change,) = DRIFT.changes
    text = render_plan_comment(plan(replace(change, interrupts="beta is restarted")), CONTEXT)
    assert "> - **Update** `session/beta` on dtn-b — cpus differs; state/profiles/small.yaml:4; interrupts: beta is restarted" in text
    assert "Needs a careful look" not in render_plan_comment(DRIFT, CONTEXT)


def test_replacement_is_orange_and_what_it_keeps_is_not() -> None:
    lines = render_plan_comment(REPLACE, CONTEXT).split("\n")
    assert "! image       dtnaas/xrootd@sha256:11aa → dtnaas/xrootd@sha256:9f3c (forces replace)" in lines
    assert "  kept        ctrl port 30000 · data ports 50000-50099 · star222 ipv4 192.168.2.70" in lines


# --- what containers are given ------------------------------------------------------------------------------


def test_what_containers_are_given_comes_first_and_outlasts_everything_else() -> None:
    """A reviewer must see it however much else there is; one entry for all endpoints that are given the same."""
    entry = "> - Create `session/run14` on dtn-a, dtn-b — ⚠ mount `/nvme/data → /data` · command `sshd -D`"
    text = render_plan_comment(CREATE, CONTEXT)
    assert entry in text.split("\n")
    assert text.index(entry) < text.index("| Endpoint |")
    assert "⚠ 2 with access to the host" in text.split("\n")[1]
    crowd = many(3000)
    given = [change for change in crowd.changes if change.powers][:100]
    crowded = replace(crowd, changes=tuple(change for change in crowd.changes if not change.powers or change in given))
    shortened = render_plan_comment(crowded, CONTEXT)
    assert "Shortened to fit" in shortened
    assert all(f"> - Create `session/{change.name}` on {change.endpoint} — ⚠ mount" in shortened for change in given)


def test_what_does_not_fit_of_it_is_counted_and_said() -> None:
    whole = many(5000)
    text = render_plan_comment(whole, CONTEXT)
    shown, all_of_them = text.count("> - Create `session/"), sum(bool(change.powers) for change in whole.changes)
    assert shown < all_of_them
    assert f"{all_of_them - shown:,} of {all_of_them:,} entries of what containers are given" in text
    assert f"⚠ {all_of_them:,} with access to the host" in text


def test_what_a_container_is_given_is_told_apart_by_endpoint() -> None:
    first, second = CREATE.changes
    other = replace(second, powers=(Power("privileged", "root on the host", is_over_host=True),))
    text = render_plan_comment(replace(CREATE, changes=(first, other)), CONTEXT)
    assert "> - Create `session/run14` on dtn-a — ⚠ mount" in text
    assert "> - Create `session/run14` on dtn-b — ⚠ privileged `root on the host`" in text


# --- what others wrote --------------------------------------------------------------------------------------


@given(PLANS, TEXT, TEXT)
def test_whatever_names_and_causes_say_the_comment_does_nothing(plan: Plan, commit: str, details: str) -> None:
    plan = replace(plan, site=f"scinet{commit}")
    text = render_plan_comment(
        plan, RenderContext(head=Head(commit, commit), version=details, reproduce=commit, options=details, details=details)
    )
    page = Reading(text)
    assert set(page.tags) <= OUR_TAGS
    assert page.attributes <= {"lang", "align", "class"}
    assert not ACTIVE.search(page.loose), ACTIVE.search(page.loose)
    assert page.open == []
    assert [f"<!--{comment}-->" for comment in page.comments] == [f"{plan_marker(plan.site)}hash={plan.hash} -->"]
    assert all(line.isprintable() for line in text.split("\n"))
    assert obeyed(text) == []


@given(PLANS)
def test_nothing_breaks_out_of_its_fence_fold_or_cell(plan: Plan) -> None:
    page = Reading(render_plan_comment(plan, CONTEXT))
    if plan.is_empty:
        return
    folds = len(_groups(plan)) + bool(plan.transfers) + bool(plan.unchanged)
    assert page.tags["details"] == page.tags["summary"] == page.tags["pre"] == folds
    claims = [change for change in plan.changes if change.allocations and change.kind != "transfer"]
    assert page.tags["tr"] == (1 + len(plan.endpoints)) * bool(plan.endpoints) + (1 + len(claims)) * bool(claims)
    has_hardware = any(row.vfs is not None or row.cpus for row in plan.endpoints)
    assert page.tags["td"] == (12 if has_hardware else 10) * len(plan.endpoints) + 3 * len(claims)
    assert page.tags["h3"] == 1


def _groups(plan: Plan) -> list[object]:
    """Headings: drift that is not blocked has its own."""
    return [*group_changes(plan, plan.changes)]


@pytest.mark.parametrize("name", BY_HAND)
def test_same_plan_gives_the_same_comment(name: str) -> None:
    assert render_plan_comment(BY_HAND[name], CONTEXT) == render_plan_comment(replace(BY_HAND[name]), replace(CONTEXT))


# --- length -------------------------------------------------------------------------------------------------


def many(count: int, text: str = "no file any more") -> Plan:
    """A plan of so many changes, every kind of them, each with details."""
    kinds: list[Change] = [change for each in BY_HAND.values() for change in each.changes]
    changes = []
    for number in range(count):
        change = kinds[number % len(kinds)]
        cause = replace(change.cause, text=f"{change.cause.text} {text}")
        changes.append(replace(change, name=f"{change.name}-{number}", cause=cause, endpoint=f"dtn-{number % 20}"))
    endpoints = tuple(endpoint(f"dtn-{number}") for number in range(20))
    return plan(*changes, endpoints=endpoints, owned=count, unchanged=tuple(f"session/same-{number}" for number in range(count)))


@pytest.mark.parametrize("count", [1, 10, 60, 200, 1000, 5000])
def test_comment_of_any_plan_is_short_enough_for_the_forge(count: int) -> None:
    text = render_plan_comment(many(count), CONTEXT)
    assert len(text.encode()) <= LIMIT
    assert Reading(text).open == []


def test_comment_that_fits_is_not_shortened() -> None:
    assert "Shortened" not in render_plan_comment(many(20), CONTEXT)


@given(TEXT, NASTY, st.integers(1, 150))
def test_long_texts_do_not_make_it_too_long(text: str, nasty: str, times: int) -> None:
    whole = many(15, (text + nasty) * times)
    context = replace(CONTEXT, head=Head(text, text * times), reproduce=nasty * times, details=nasty * times, options=text * times)
    assert len(render_plan_comment(whole, context, limit=30_000).encode()) <= 30_000


def test_unchanged_goes_first_then_creates_and_what_is_blocked_stays() -> None:
    whole = many(70)
    full = len(render_plan_comment(whole, CONTEXT).encode())
    notices = []
    for limit in range(full - 1, 20_000, -500):
        text = render_plan_comment(whole, CONTEXT, limit)
        assert len(text.encode()) <= limit
        notices.append(re.findall(r"[\d,]+ of [\d,]+ ([a-z ]+?)(?=,|\. All)", text))
        assert f"> **Blocked ({len(whole.blocked)})**\n> - **Blocked** `session/run15-" in text
    order = [
        "names of the unchanged list",
        "details of creates",
        "details of updates",
        "details of transfers",
        "details of replaces",
        "details of destroys",
        "details of blocked changes",
    ]
    assert all(notice == order[: len(notice)] for notice in notices)
    assert {len(notice) for notice in notices} >= {1, 2, 3, 4}


def test_notice_says_exactly_how_much_is_missing_and_where_it_is() -> None:
    whole = many(300)
    text = render_plan_comment(whole, CONTEXT)
    found = re.search(r"([\d,]+) of 300 names of the unchanged list", text)
    assert found is not None
    assert text.count("session/same-") == 300 - int(found[1])
    dropped = sum(int(number) for number in re.findall(r"(\d+) of \d+ details", text))
    assert Reading(text).tags["details"] == len(_groups(whole)) - dropped + (int(found[1]) < 300)
    assert "All of it: artifact plan.json." in text


def test_what_a_policy_says_comes_before_all_that_may_be_dropped_and_stays_text() -> None:
    reasons = ("</details> ##[error] @someone", *(f"reason {number}" for number in range(30)))
    found = PolicyResult("conftest test -", "denied", reasons, ("look twice",))
    comment = render_plan_comment(DANGER, replace(CONTEXT, policy=found))
    title, _, rest = comment.partition("\n\n")
    assert title.endswith(" · ⚠ denied by policy")
    assert rest.startswith("> **✖ Policy:** denied (conftest test -)\n> - ")
    assert "> - warning: look twice\n> - and 11 more in the plan's JSON\n" in rest
    assert rest.index("reason 18") < rest.index("**Blocked (1)**")
    assert "reason 19" not in rest
    assert obeyed(comment) == []


@pytest.mark.parametrize(
    ("verdict", "line"),
    [("passed", "> **Policy:** passed (p)\n"), ("unknown", "> **✖ Policy:** no verdict, which counts as denied (p)\n")],
)
def test_a_policy_that_passes_is_named_and_one_without_verdict_denies(verdict: PolicyVerdict, line: str) -> None:
    comment = render_plan_comment(DANGER, replace(CONTEXT, policy=PolicyResult("p", verdict)))
    assert line in comment
    assert ("denied by policy" in comment) == (verdict == "unknown")
