"""What a SARIF log of ours has to be, as a JSON schema of those parts that we write.

Written from two sources. *Schema*: the properties, types, least numbers and required keys of the definitions that are named here in
OASIS's sarif-schema-2.1.0.json, in which every object refuses unknown keys. *GitHub*: docs.github.com, "SARIF support for code scanning",
whose tables require more, take no empty text for what is required, and give the limits. The schema itself is not kept here: its terms are
those of an OASIS committee. On 2026-11-30 the whole of it had no complaint about the logs of the example plans and problems of this folder.
"""

from __future__ import annotations

from typing import Any

Form = dict[str, Any]


def _object(required: dict[str, Form], **optional: Form) -> Form:
    properties = required | optional
    return {"type": "object", "properties": properties, "required": sorted(required), "additionalProperties": False}


def _texts(longest: int | None = None) -> Form:
    """message and multiformatMessageString: `text` (schema); not empty (GitHub)."""
    return _object({"text": {"type": "string", "minLength": 1} | ({"maxLength": longest} if longest else {})})


NAME: Form = {"type": "string", "minLength": 1}
LEVEL: Form = {"enum": ["none", "note", "warning", "error"]}  # schema: result.level, notification.level
FROM_ONE: Form = {"type": "integer", "minimum": 1}  # schema: region
# GitHub: id, shortDescription, fullDescription and help are required, the descriptions have at most 1,024 characters
RULE = _object({"id": NAME, "shortDescription": _texts(1024), "fullDescription": _texts(1024), "help": _texts()})
# GitHub: all four are required
REGION = _object(dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), FROM_ONE))
# schema: format uri-reference; GitHub: relative to the root of the repository
ARTIFACT = _object({"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~%-][A-Za-z0-9._~/%-]*$"}})
LOCATION = _object({"physicalLocation": _object({"artifactLocation": ARTIFACT, "region": REGION})})
# GitHub: message, locations and partialFingerprints are required; of fingerprints only this one is read
RESULT = _object(
    {
        "ruleId": NAME,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": _texts(),
        "locations": {"type": "array", "items": LOCATION, "minItems": 1, "maxItems": 1},
        "partialFingerprints": _object({"primaryLocationLineHash": NAME}),
    }
)
NOTIFICATION = _object({"level": LEVEL, "message": _texts()})
# schema: whether it was successful is required
INVOCATION = _object({"executionSuccessful": {"type": "boolean"}, "toolExecutionNotifications": {"type": "array", "items": NOTIFICATION}})
# schema: toolComponent.rules are unique; GitHub: at most 25,000 rules
DRIVER = _object({"name": NAME, "rules": {"type": "array", "items": RULE, "uniqueItems": True, "maxItems": 25_000}}, version=NAME)
RUN = _object(
    {
        "tool": _object({"driver": DRIVER}),
        "results": {"type": "array", "items": RESULT, "maxItems": 25_000},  # GitHub: refused beyond it, and 5,000 are shown
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {"type": "array", "items": INVOCATION},
    }
)
SARIF: Form = _object(
    {"$schema": NAME, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN, "minItems": 1, "maxItems": 20}}
)
LARGEST = 10 << 20  # GitHub: bytes of a log that is compressed by gzip
