"""`apply --reviewed PLAN.json`: the plan that was reviewed for these state files is what runs, or `review:` in site.yaml decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtnctl.cli.expected import plan_in_file
from dtnctl.cli.messages import say
from dtnctl.cli.stale import cause_lines
from dtnctl.errors import StalePlanError

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.plan import Plan
    from dtnctl.model.site_settings import Review
    from dtnctl.planning.reviewed import ReviewedPlan, ShownChange
    from dtnctl.render.context import RenderContext


def agree_with_review(path: str, plan: Plan, workplace: Workplace, view: RenderContext) -> str:
    """The hash of the plan that may run: any plan without a review, else this one. StalePlanError where `review:` refuses."""
    from dtnctl.planning.reviewed import is_done, more_dangerous, on_other_engines

    review = workplace.site.settings.value.review
    if not path or plan.is_empty:
        return ""
    if not Path(path).exists():
        return _without_review(review)
    document = plan_in_file(path, "--reviewed")
    reviewed = reviewed_plan(document)
    if plan.hash == reviewed.hash:
        say(f"this is the plan that was reviewed ({plan.hash})")
        return plan.hash
    if is_done(plan, reviewed):
        say(f"nothing of the reviewed plan {reviewed.hash} is left to do; what is planned now restores the endpoints")
        return plan.hash
    differences = [*_differences(document, plan, view), *cause_lines(document, Path(path), plan, view, workplace)]
    dangerous = more_dangerous(plan, reviewed) or on_other_engines(plan, reviewed)
    if dangerous or review.if_changed == "stop":
        raise StalePlanError(*_refusal(reviewed, plan, review), *differences)
    for line in (f"the plan has changed since its review ({reviewed.hash}), and nothing of it is more dangerous:", *differences):
        say(line)
    return plan.hash


def _without_review(review: Review) -> str:
    if review.if_missing == "stop":
        raise StalePlanError(
            "no plan was reviewed for this state (`review: {if_missing: stop}` in state/site.yaml); nothing was changed",
            "bring the change in by a pull request, or bring that up to date if main has moved since its plan",
        )
    say("no plan was reviewed for this state; going on, as `review: {if_missing: continue}` says")
    return ""


def reviewed_plan(document: dict[str, Any]) -> ReviewedPlan:
    """The reviewed plan, from its JSON document."""
    from dtnctl.planning.reviewed import ReviewedPlan

    changes = {(item["endpoint"], item["kind"], item["name"]): _shown(item) for item in document["changes"]}
    engines = {row["name"]: row["identity"] for row in document["endpoints"] if row.get("identity")}
    return ReviewedPlan(document["plan_hash"], changes, frozenset(item["name"] for item in document["transfers"]), engines)


def _shown(item: dict[str, Any]) -> ShownChange:
    """What waits for running transfers was shown with what it does when they have ended."""
    from dtnctl.planning.reviewed import ShownChange

    held = item.get("held", "")
    cuts = frozenset() if held else frozenset(cut["transfer"] for cut in item.get("cuts", ()))
    return ShownChange(held or item["mark"], bool(item["interrupts"] or held), cuts)


def _refusal(reviewed: ReviewedPlan, plan: Plan, review: Review) -> list[str]:
    from dtnctl.planning.reviewed import more_dangerous, on_other_engines

    head = f"the plan has changed since its review ({reviewed.hash}, now {plan.hash}); nothing was changed"
    found = [f"{name} is another engine than the one that was reviewed" for name in on_other_engines(plan, reviewed)]
    found += [
        f"more dangerous than reviewed: {item.mark} {item.kind}/{item.name} @ {item.endpoint}" for item in more_dangerous(plan, reviewed)
    ]
    if not found:
        found = [f"`review: {{if_changed: {review.if_changed}}}` in state/site.yaml asks for exactly the reviewed plan"]
    return [head, *found, f"if it is right: dtnctl apply --expect {plan.hash}; what differs:"]


def _differences(document: dict[str, Any], plan: Plan, view: RenderContext) -> list[str]:
    from dtnctl.render.differences import plan_differences
    from dtnctl.render.json import plan_document

    return plan_differences(document, plan_document(plan, view))
