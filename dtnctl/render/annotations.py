"""Marks on lines of the state files, for code review: as GitHub's workflow commands, as SARIF 2.1.0 and as JUnit XML. Pure.

What a plan has to say of a line: an error for what is blocked, a warning for what removes, replaces or interrupts something or
undoes drift, a notice for a transfer that will start. What is wrong in a file is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from dtnctl.errors import Problem
from dtnctl.model.plan import Change, Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.summary import object_name, starting_steps, verb_of, verdict
from dtnctl.render.text import clip, printable_text

Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")
MOST = 10  # annotations of one level that GitHub shows of one step
LONGEST = 1000  # characters of one message
MOST_RESULTS = 5000  # that GitHub's code scanning shows of one upload; it refuses more than 25,000
SARIF_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "notice": "note"}
# Characters that XML 1.0 cannot have, not even as references.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One mark. `rule` is the error code, or what happens; `subject` is the object, `line` and `column` count from 1, 0 is the whole file.

    Without a `file` no line decides it.
    """

    level: Level
    rule: str
    subject: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0


# --- what is marked -----------------------------------------------------------------------------------------


def plan_annotations(plan: Plan) -> tuple[Annotation, ...]:
    """The plan's marks, most dangerous first."""
    starting = starting_steps(plan)
    return tuple(found for change in plan.changes if (found := _annotation(change, verb_of(change, starting))) is not None)


def _annotation(change: Change, verb: str) -> Annotation | None:
    level = _level(change, verb)
    if level is None:
        return None
    subject = f"{object_name(change)} @ {change.endpoint}"
    what = "" if verb == "blocked" else change.summary
    texts = [what, change.cause.text if change.cause.text != what else ""]
    texts += [f"interrupts: {change.interrupts}" if change.interrupts else "", f"fix: {change.fix}" if change.fix else ""]
    message = "; ".join(text for text in texts if text)
    return Annotation(level, change.code or ("drift" if change.is_drift else verb), subject, message, change.cause.file, change.cause.line)


def _level(change: Change, verb: str) -> Level | None:
    if verb == "blocked":
        return "error"
    if verb in ("destroy", "replace") or change.interrupts or change.is_drift:
        return "warning"
    return "notice" if verb == "start" else None


def problem_annotations(problems: Sequence[Problem]) -> tuple[Annotation, ...]:
    """What is wrong in the state files, in their order."""
    return tuple(
        Annotation(
            "error", item.code, item.file, f"{item.message}{f'; try {item.hint}' if item.hint else ''}", item.file, item.line, item.column
        )
        for item in sorted(problems)
    )


# --- GitHub -------------------------------------------------------------------------------------------------


def render_annotations_github(annotations: Sequence[Annotation], prefix: str = "") -> str:
    """Workflow commands, as many of each level as one step may have; the last one says how many more there are.

    `prefix` is the folder of the state files below the top of the repository. Source: docs.github.com, "Workflow commands".
    """
    return "".join(f"{line}\n" for level in LEVELS for line in _of_level([item for item in annotations if item.level == level], prefix))


def _of_level(items: Sequence[Annotation], prefix: str) -> list[str]:
    shown = items if len(items) <= MOST else items[: MOST - 1]
    lines = [_command(item, prefix) for item in shown]
    if rest := len(items) - len(shown):
        lines.append(f"::{items[0].level} title=dtnctl::and {rest:,} more; the plan's comment and its JSON have all of them")
    return lines


def _command(item: Annotation, prefix: str) -> str:
    place = [("file", prefix + item.file), ("line", str(item.line or 1)), ("col", str(item.column or ""))] if item.file else []
    title = f"dtnctl {item.rule}"
    properties = ",".join(f"{name}={_property(text)}" for name, text in [*place, ("title", title)] if text)
    subject = f"{item.subject}: " if item.subject != item.file else ""
    return f"::{item.level} {properties}::{_data(subject + item.message)}"


def _data(text: str) -> str:
    line = clip(printable_text(text, ascii_only=False), LONGEST, "…")
    return line.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- SARIF --------------------------------------------------------------------------------------------------


def render_annotations_sarif(annotations: Sequence[Annotation], version: str, prefix: str = "") -> str:
    """A SARIF 2.1.0 log for code scanning. What no line decides has no place in a file, and is a notification of the run.

    Beyond the schema it has what GitHub's ingestion asks for (docs.github.com, "SARIF support for code scanning"): texts of rules, whole
    regions, a fingerprint of its own name, and no more results than are shown.
    """
    placed = [item for item in annotations if item.file]
    placed, left = placed[:MOST_RESULTS], len(placed) - MOST_RESULTS
    rules = sorted({item.rule for item in placed})
    driver: dict[str, Any] = {"name": "dtnctl", "rules": [_rule(rule) for rule in rules]}
    if version:
        driver["version"] = version
    notifications = [_notification(item) for item in annotations if not item.file]
    if left > 0:
        notifications.append({"level": "note", "message": {"text": f"and {left:,} more; the plan's JSON has all of them"}})
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules.index(item.rule), prefix) for item in placed],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, sort_keys=True, indent=2).replace("##", "#\\u0023") + "\n"


def _rule(rule: str) -> dict[str, Any]:
    is_code = re.fullmatch(r"E\d{4}", rule) is not None
    short = f"Error {rule} of dtnctl" if is_code else f"A change of the plan: {rule}"
    more = f"{rule} in docs/error-codes.md" if is_code else f"`dtnctl plan` shows each {rule} with its cause"
    texts = {"shortDescription": short, "fullDescription": f"{short}; {more}", "help": f"{more}; each result says what to do"}
    return {"id": rule, **{name: {"text": text} for name, text in texts.items()}}


def _result(item: Annotation, rule: int, prefix: str) -> dict[str, Any]:
    line, column = item.line or 1, item.column or 1
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1}
    text = clip(printable_text(f"{item.subject}: {item.message}", ascii_only=False), LONGEST, "…")
    return {
        "ruleId": item.rule,
        "ruleIndex": rule,
        "level": SARIF_LEVELS[item.level],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(prefix + item.file)}, "region": region}}],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(item)},
    }


def _fingerprint(item: Annotation) -> str:
    """The same for the same object and rule, wherever their line has moved to. Of all names GitHub reads only this one."""
    subject = f"{item.rule}:{item.subject}:{item.file}".encode("utf-8", "surrogatepass")
    return f"{sha256(subject).hexdigest()[:16]}:1"


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file, safe="/", errors="replace")


def _notification(item: Annotation) -> dict[str, Any]:
    return {
        "level": SARIF_LEVELS[item.level],
        "message": {"text": printable_text(f"{item.rule}: {item.subject}: {item.message}", ascii_only=False)},
    }


# --- JUnit --------------------------------------------------------------------------------------------------


def render_plan_junit(plan: Plan, context: RenderContext) -> str:
    """A test suite for each endpoint and a test for each change there; what is blocked has failed, what is silent is an error."""
    starting = starting_steps(plan)
    suites = []
    for row in plan.endpoints:
        here = [change for change in plan.changes if change.endpoint == row.name]
        cases = [_case(f"{verb_of(change, starting)} {object_name(change)}", row.name, _failure(change)) for change in here]
        if row.silence:
            cases.append(_case("answers", row.name, _problem("error", "silent", row.silence)))
        suites.append(_suite(row.name, cases or [_case("no changes", row.name, "")]))
    return _suites(f"dtnctl {context.command} {plan.site}: {' · '.join(verdict(plan, context.command))}", suites)


def _failure(change: Change) -> str:
    if change.mark != "blocked":
        return ""
    texts = [change.cause.place, change.cause.text, f"fix: {change.fix}" if change.fix else ""]
    return _problem("failure", change.code, "; ".join(text for text in texts if text))


def render_problems_junit(problems: Sequence[Problem], files: Iterable[str]) -> str:
    """A test for each state file; a file with problems has failed."""
    found: dict[str, list[str]] = {file: [] for file in sorted(files)}
    for problem in sorted(problems):
        found.setdefault(problem.file, []).append(str(problem))
    cases = [
        _case(file, "state", _problem("failure", "invalid", "\n".join(lines)) if lines else "") for file, lines in sorted(found.items())
    ]
    return _suites("dtnctl validate", [_suite("state", cases)])


def _suites(name: str, suites: Sequence[str]) -> str:
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites name={_attribute(name)}>", *suites, "</testsuites>", ""])


def _suite(name: str, cases: Sequence[str]) -> str:
    failures, errors = (sum(f"<{kind} " in case for case in cases) for kind in ("failure", "error"))
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
    return "\n".join([f"  <testsuite name={_attribute(name)} {counts}>", *cases, "  </testsuite>"])


def _case(name: str, group: str, problem: str) -> str:
    head = f"    <testcase name={_attribute(name)} classname={_attribute(f'dtnctl.{group}')}"
    return f"{head}>{problem}</testcase>" if problem else f"{head}/>"


def _problem(kind: Literal["failure", "error"], word: str, text: str) -> str:
    lines = [printable_text(line, ascii_only=False) for line in text.split("\n")]
    return f"<{kind} type={_attribute(word)} message={_attribute(lines[0])}>{escape(_xml(chr(10).join(lines)))}</{kind}>"


def _attribute(text: str) -> str:
    return quoteattr(_xml(printable_text(text, ascii_only=False)))


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
