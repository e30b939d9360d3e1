"""What the doctor found, of declared endpoints and of hosts that no file declares, as JSON documents (docs/json.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from dtnctl.model.audit import Audit, HostAudit, Pair, PairFault
from dtnctl.model.findings import Examination, Finding
from dtnctl.render.json import Json, document_of


def doctor_document(examinations: Sequence[Examination]) -> Json:
    """What the doctor found, with all that is right and all that is not known."""
    return document_of("doctor", {"endpoints": [_examination(item) for item in examinations]})


def _examination(item: Examination) -> Json:
    return {
        "name": item.endpoint,
        "silence": item.silence,
        "nic": item.nic,
        "speed": item.speed,
        "summary": {"checked": item.checked, "ignored": item.ignored, **item.counts},
        "findings": [_finding(finding) for finding in item.findings],
    }


def _finding(finding: Finding) -> Json:
    """`actual` is null where it is not known: an empty text would be "there is none"."""
    return {
        "check": finding.check,
        "about": finding.about.about,
        "subject": finding.subject,
        "severity": finding.severity,
        "expected": finding.expected,
        "actual": None if finding.severity == "unknown" else finding.actual,
        "why": finding.about.why,
        "source": finding.about.source,
        "fix": finding.fix,
        "place": finding.place,
    }


def audit_document(audit: Audit, files: Sequence[tuple[str, str]]) -> Json:
    """Hosts, what is between them, and the texts of the files that would declare them, by name."""
    return document_of(
        "audit",
        {
            "hosts": [_host(item) for item in audit.hosts],
            "pairs": [_pair(item) for item in audit.pairs],
            "pair_faults": [
                {"near": item.pair.near.interface, "far": item.pair.far.interface, **_fault(item)} for item in audit.pair_faults
            ],
            "files": [{"file": name, "text": text} for name, text in files],
        },
    )


def _host(item: HostAudit) -> Json:
    carried = [asdict(each) for each in item.carried]
    found = {key: value for key, value in _examination(item.examination).items() if key != "silence"}
    return {"address": item.address, "carried": carried, "unseen": list(item.unseen), **found}


def _pair(item: Pair) -> Json:
    sizes = [asdict(size) for size in item.sizes]
    ends = {"near": asdict(item.near), "far": asdict(item.far)}
    return {"subnet": item.subnet, **ends, "speed": item.speed, "passes": item.passes, "sizes": sizes, "trouble": item.trouble}


def _fault(item: PairFault) -> Json:
    return {"severity": item.severity, "found": item.found, "fix": item.fix}
