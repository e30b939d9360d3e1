"""What a forge is given about a plan: the comment of a pull request, and a commit's status for each endpoint. Pure.

A comment begins with a hidden marker, by which it is found again. If it shows another plan than before, the text before is kept in a fold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dtnctl.model.plan import EndpointSummary, Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.escape import fence, marker_word, prose
from dtnctl.render.from_json import NotADocumentError, read_plan
from dtnctl.render.links import linked
from dtnctl.render.markdown import LIMIT, plan_marker, render_plan_comment
from dtnctl.render.summary import digest, starting_steps, verb_of, verdict
from dtnctl.render.text import clip, plural, printable_text

STATUS_LIMIT = 140  # characters of a status on GitHub; GitLab takes 255
NAME_LIMIT = 100  # of a status' name
MARKER = re.compile(r"<!-- dtnctl:plan site=([\w.-]+) (?:hash=([\w.-]+)|failed) -->")
COMMIT = re.compile("[0-9a-f]{7,64}")  # of a document that others may have changed: it becomes a part of links
PREVIOUS = "<!-- dtnctl:previous -->"
MOST_PROBLEMS = 200
State = Literal["success", "failure", "error"]


@dataclass(frozen=True, slots=True)
class Comment:
    """`marker` is how its text begins, whatever plan it shows; `plan_hash` is empty where there is no plan."""

    marker: str
    plan_hash: str
    body: str


@dataclass(frozen=True, slots=True)
class Status:
    """`name` is unique among the statuses of one commit; `text` has at most 140 characters."""

    name: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Links:
    """As in RenderContext: where files of a commit are shown (`{commit}` stands for it), and where the plan's JSON is."""

    source: str = ""
    details: str = ""
    details_address: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """All that is reported about one document. `verdict` is its first line without any markup."""

    site: str
    verdict: str
    comment: Comment
    statuses: tuple[Status, ...]


def review_of(document: Mapping[str, Any], links: Links, site: str = "") -> Review:
    """What to report about `plan -o json`, whether it has a plan, problems or an error. `site` names it where there is no plan.

    NotADocumentError if it is none of these, or the site is not known.
    """
    match document.get("kind"):
        case "plan":
            return _plan_review(document, links)
        case "problems" | "error":
            if not site:
                raise NotADocumentError("it has no plan, so the site must be named")
            return _failure_review(document, site, links)
        case kind:
            raise NotADocumentError(f"it is {'no document of dtnctl' if kind is None else f'a document of kind {kind!r}'}, not a plan")


def _plan_review(document: Mapping[str, Any], links: Links) -> Review:
    plan, context = read_plan(document)
    view = replace(
        context,
        source=links.source.replace("{commit}", context.head.commit) if COMMIT.fullmatch(context.head.commit) else "",
        details=links.details,
        details_address=links.details_address,
    )
    comment = Comment(plan_marker(plan.site, view.label), marker_word(digest(plan, view)), render_plan_comment(plan, view))
    line = printable_text(" · ".join(verdict(plan, view.command)), ascii_only=False)
    return Review(plan.site, line, comment, endpoint_statuses(plan, view))


# --- without a plan -----------------------------------------------------------------------------------------


def _failure_review(document: Mapping[str, Any], site: str, links: Links) -> Review:
    lines = _failure_lines(document)
    title = "the state files are wrong" if document["kind"] == "problems" else "no plan could be made"
    shown = [*lines[:MOST_PROBLEMS], *[f"and {len(lines) - MOST_PROBLEMS:,} more"] * (len(lines) > MOST_PROBLEMS)]
    head = [f"{plan_marker(site)}failed -->", f"### dtnctl plan · {prose(printable_text(site, ascii_only=False))} · ✖ {title}", ""]
    body = "\n".join([*head, fence([clip(line, 300, "…") for line in shown], ""), "", *_whole(links)])
    status = Status(status_name(site), "failure", status_text(f"{title}: {lines[0] if lines else 'no reason is known'}"))
    return Review(site, title, Comment(plan_marker(site), "", body[:LIMIT]), (status,))


def _failure_lines(document: Mapping[str, Any]) -> list[str]:
    try:
        if document["kind"] == "problems":
            entries = [(item["file"], item["line"] or 1, item["code"], item["message"], item["hint"]) for item in document["problems"]]
            texts = [f"{file}:{line}: {code}: {message}{f'; try {hint}' if hint else ''}" for file, line, code, message, hint in entries]
        else:
            texts = [f"{document['exit_name']} ({document['exit_code']})", *str(document["message"]).splitlines()]
    except (KeyError, TypeError) as error:
        raise NotADocumentError("it is no whole document of dtnctl") from error
    return [printable_text(text, ascii_only=False) for text in texts]


def _whole(links: Links) -> list[str]:
    return [f"<sub>all of it: {linked(links.details, links.details_address)}</sub>"] if links.details else []


# --- statuses -----------------------------------------------------------------------------------------------


def endpoint_statuses(plan: Plan, context: RenderContext) -> tuple[Status, ...]:
    """One for each endpoint, in the plan's order."""
    return tuple(_endpoint_status(plan, row, context) for row in plan.endpoints)


def _endpoint_status(plan: Plan, row: EndpointSummary, context: RenderContext) -> Status:
    here = [change for change in plan.changes if change.endpoint == row.name]
    blocked = len({(change.kind, change.name) for change in here if change.mark == "blocked"})
    name = status_name(plan.site, row.name)
    if row.silence:
        return Status(name, "error", status_text(f"silent, what is there is unknown: {row.silence}"))
    verbs = [verb_of(change, starting_steps(plan)) for change in here if change.mark != "blocked"]
    parts = [plural(len(verbs), "change")]
    parts += [plural(verbs.count(verb), verb) for verb in ("destroy", "replace") if verb in verbs]
    starts = verbs.count("start")
    parts += [f"{plural(starts, 'transfer')} {'start' if starts > 1 else 'starts'}"] * bool(starts)
    parts += [f"{blocked:,} blocked"]
    digested = digest(plan, context)
    return Status(name, "failure" if blocked else "success", status_text(f"{', '.join(parts)}{f' ({digested[:8]})' if digested else ''}"))


def status_name(*parts: str) -> str:
    """A name of dtnctl's own among all statuses of a commit."""
    return "/".join(["dtnctl", *(printable_text(part, ascii_only=False)[:NAME_LIMIT] for part in parts)])


def status_text(text: str) -> str:
    """At most 140 characters, however wide they are."""
    line = printable_text(text, ascii_only=False)
    return line if len(line) <= STATUS_LIMIT else line[: STATUS_LIMIT - 1] + "…"


# --- the text before ----------------------------------------------------------------------------------------


def shown_by(body: str, marker: str) -> bool:
    """Whether a comment of this text is the one with this marker."""
    return body.startswith(marker) and MARKER.match(body) is not None


def with_previous(comment: Comment, before: str, limit: int = LIMIT) -> str:
    """The comment's text, with that of `before` in a fold if it showed another plan; the fold of an equal plan is kept as it is.

    Of a text before that leaves no room for both the details are left out, else all but its title.
    """
    found = MARKER.match(before)
    shown, _, older = before.partition(PREVIOUS)
    if found is None:
        return comment.body
    if (found[2] or "") == comment.plan_hash:
        folds = [f"{PREVIOUS}{older}".rstrip()] if older else []
    else:
        folds = [_fold(found[2] or "", text) for text in _shorter_and_shorter(shown[found.end() :].strip())]
    wholes = (f"{comment.body.rstrip()}\n\n{fold}\n" for fold in folds)
    return next((whole for whole in wholes if len(whole.encode()) <= limit), comment.body)


def _shorter_and_shorter(text: str) -> list[str]:
    left_out = "(The rest is left out: it was too long.)"
    return [text, f"{text.partition('<details>')[0].strip()}\n\n{left_out}", f"{text.partition(chr(10))[0]}\n\n{left_out}"]


def _fold(plan_hash: str, text: str) -> str:
    title = f"Previous plan {plan_hash}" if plan_hash else "Previous push: no plan"
    return f"{PREVIOUS}\n<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def same_text(first: str, second: str) -> bool:
    """Whether a forge shows them alike: it keeps no blank lines at the end, and may have other line ends."""
    return _normal(first) == _normal(second)


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
