"""The record of one-shot jobs as files: where an attempt's record and log lie, and how a record is written and read. Pure.

A record that cannot be read is not an absent one: it decodes to an attempt of unknown result, with the reason.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from dtnctl.model.transfer_about import Passed

Verdict = Literal["succeeded", "partial", "failed", "cancelled", "unknown"]
Resolution = Literal["", "succeeded", "failed", "run-again"]
AttemptKey = tuple[str, int, int]  # (transfer, generation, attempt)


@dataclass(frozen=True, slots=True)
class Requester:
    """On whose account a transfer starts: the operator as leases name one, and the commit of the state.

    `uncommitted`: the state differs from it.
    """

    who: str = ""
    commit: str = ""
    uncommitted: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start of a transfer, as in its ledger: a claim (written before the start), later the receipt.

    `released` is a claim whose container was never started and is gone: the attempt did not happen. A claim with a `cause` is of a job
    that is stopped for it.
    `container` is the claimed container's id. Sizes in bytes, times in seconds, `rate` in bytes per second.

    `who` is the operator as leases name one, `commit` that of the state repository (`uncommitted`: the state differed from it).
    `endpoint` is the name that the source's endpoint had, `engine` its engine's own id. `source` and `destination` are ENDPOINT:PATH,
    `image` and `destination_image` the ids of the images that the services ran. `started_at` to `finished_at` the job ran,
    `recorded_at` its result was written. `retransmits` is None where the mover does not say.
    `served` is what the tool's own servers logged, in words.
    `verify_seconds` is how long the checksums took, at both ends at the same time. `sums` are those of the files of `items` by name,
    if they are not too many.
    `resumed` are the bytes among `bytes` that an earlier try had copied.
    `network_path` is the path between sites that joins its ends, `path_verdict` whether it carried the bytes: carried, bypassed, unknown.
    `path_evidence` are the counters by which that is known, in words.
    `labels` and `metadata` are free pairs of its file. `notified`: when its end was reported, `due` before that, or why it was not.
    `resolution` is what `resolved_by` decided of an unknown result, and `reason` why.
    """

    transfer: str
    generation: int
    attempt: int
    container: str
    claimed_at: str
    released: bool = False
    verdict: Verdict | None = None
    cause: str = ""
    retryable: bool = False
    exit_code: int | None = None
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    finished_at: str = ""
    checksum: str = ""
    verified: str = ""
    who: str = ""
    commit: str = ""
    uncommitted: bool = False
    endpoint: str = ""
    engine: str = ""
    tool: str = ""
    source: str = ""
    destination: str = ""
    image: str = ""
    destination_image: str = ""
    started_at: str = ""
    recorded_at: str = ""
    rate: float | None = None
    streams: int = 0
    retransmits: int | None = None
    resolution: Resolution = ""
    resolved_by: str = ""
    resolved_at: str = ""
    reason: str = ""
    labels: Passed = ()
    metadata: Passed = ()
    notified: str = ""
    served: str = ""
    sums: Passed = ()
    verify_seconds: float = 0.0
    resumed: int = 0
    network_path: str = ""
    path_verdict: str = ""
    path_evidence: str = ""

    @property
    def key(self) -> AttemptKey:
        return self.transfer, self.generation, self.attempt

    @property
    def is_being_cancelled(self) -> bool:
        """Whether its job was to be stopped when this was written; whoever wrote it may have died before or after that."""
        return self.verdict is None and not self.released and bool(self.cause)

    def may_be_repeated(self, tries: int, retries: int) -> bool:
        """Whether another try may follow this one, the last of `tries`."""
        return self.verdict == "failed" and self.retryable and tries <= retries


@dataclass(frozen=True, slots=True)
class LedgerSeen:
    """`readable` is False when the placeholder container is gone (prune): then the records are unknown, not absent.

    `trouble` is why the record cannot be read although it may be there. `is_unsigned`: the placeholder was made before the
    repository had an id.
    """

    readable: bool = False
    attempts: tuple[Attempt, ...] = ()
    trouble: str = ""
    is_unsigned: bool = False


FIELD_KINDS = {field.name: str(field.type) for field in fields(Attempt)}
FIRST_FIELDS = tuple(FIELD_KINDS)[: tuple(FIELD_KINDS).index("verified") + 1]  # those that every record has
SAYS_NOTHING = {field.name: field.default for field in fields(Attempt) if field.name not in FIRST_FIELDS}
PAIRS = tuple(name for name, kind in FIELD_KINDS.items() if kind == "Passed")
LEDGER_MOUNT = "/ledger"  # where the host's folder is in the placeholder container on the endpoint
RECORDS = f"{LEDGER_MOUNT}/records"
LOGS = f"{LEDGER_MOUNT}/logs"
VERSION = 2
READ_VERSIONS = (1, 2)  # 1 has no field after `verified`
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
FILE_NAME = re.compile(r"(?P<transfer>[^./]+)\.g(?P<generation>[0-9]{1,18})a(?P<attempt>[0-9]{1,18})\.json")
LONGEST_RECORD = 64 * 1024  # far more than any that we write
OWNER_FILE = "repository"  # in the records folder: the id of the repository that they belong to
FOLDER = "a folder"

Entry = bytes | str  # a file's content, or what it is that has a file's name and is none: FOLDER, "a symbolic link" …


def record_path(transfer: str, generation: int, attempt: int) -> str:
    return f"{RECORDS}/{transfer}.g{generation}a{attempt}.json"


def log_path(transfer: str, generation: int, attempt: int) -> str:
    return f"{LOGS}/{transfer}.g{generation}a{attempt}.log"


def encode_attempt(attempt: Attempt) -> bytes:
    """The record's file content: the format's version and the attempt's fields; of the later ones those that say something."""
    said = {name: value for name, value in asdict(attempt).items() if name in FIRST_FIELDS or value != SAYS_NOTHING[name]}
    said |= {name: dict(said[name]) for name in PAIRS if name in said}
    return json.dumps({"version": VERSION, **said}, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def owner_path() -> str:
    """Where the folder says whose records it holds. It survives the removal of the container that reaches it."""
    return f"{RECORDS}/{OWNER_FILE}"


def decode_attempt(path: str, content: Entry) -> Attempt:
    """The attempt in the record at `path`; of unknown result if the record cannot be understood."""
    name = posixpath.basename(path)
    named = FILE_NAME.fullmatch(name)
    if named is None:
        return _unknown(name, 0, 0, f"the ledger has a file {name!r} that is no record's name")
    key = (named["transfer"], int(named["generation"]), int(named["attempt"]))
    try:
        attempt = _parse(content)
    except (ValueError, RecursionError) as error:
        return _unknown(*key, f"its record {name} cannot be read: {error}")
    if (attempt.transfer, attempt.generation, attempt.attempt) != key:
        return _unknown(*key, f"its record {name} is that of {attempt.transfer} generation {attempt.generation} attempt {attempt.attempt}")
    return attempt


def decode_ledger(entries: Mapping[str, Entry], repository: str = "") -> LedgerSeen:
    """What is in the records folder, by path; attempts in the order of transfer, generation and attempt.

    An entry whose name says which attempt it is of makes that attempt unknown if it is no record. Any other one could be the
    record of any attempt, so that nothing is known then.
    """
    trouble = _trouble(entries, repository)
    if trouble:
        return LedgerSeen(trouble=trouble)
    records = {path: content for path, content in entries.items() if posixpath.dirname(path) == RECORDS and path != owner_path()}
    attempts = (decode_attempt(path, content) for path, content in records.items())
    return LedgerSeen(True, tuple(sorted(attempts, key=lambda item: (item.transfer, item.generation, item.attempt, item.cause))))


def _trouble(entries: Mapping[str, Entry], repository: str) -> str:
    """Why nothing that the folder holds can be relied on; empty if it can."""
    root = entries.get(RECORDS, FOLDER)
    if root != FOLDER:
        return f"its records folder is {root if isinstance(root, str) else 'a file'}"
    strange = sorted(path for path in entries if posixpath.dirname(path) == RECORDS and not _is_expected(posixpath.basename(path)))
    if strange:
        return f"its records folder holds {posixpath.basename(strange[0])!r}, which is no record's name; move it away"
    owner = entries.get(owner_path())
    if owner is None:
        return ""
    return "" if is_owner(owner, repository) else f"its records folder belongs to {owner_text(owner)}"


def _is_expected(name: str) -> bool:
    return name == OWNER_FILE or FILE_NAME.fullmatch(name) is not None


def is_owner(content: Entry, repository: str) -> bool:
    """Whether the file that says whose records a folder holds names this repository."""
    return isinstance(content, bytes) and content.decode(errors="replace").strip() == repository


def owner_text(content: Entry) -> str:
    """Whose records they are, for a person."""
    if isinstance(content, str):
        return f"what its file {OWNER_FILE!r} does not say: that is {content}"
    return f"the repository with the id {content[:40].decode(errors='replace').strip()!r}"


def _unknown(transfer: str, generation: int, attempt: int, cause: str) -> Attempt:
    return Attempt(transfer, generation, attempt, container="", claimed_at="", verdict="unknown", cause=cause)


def _parse(content: Entry) -> Attempt:
    """ValueError says what is wrong with it."""
    if isinstance(content, str):
        raise ValueError(f"it is {content}, not a file")
    if len(content) > LONGEST_RECORD:
        raise ValueError(f"{len(content)} bytes are too many for a record")
    if not content.strip():
        raise ValueError("it is empty")
    data = json.loads(content)
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    version = data.pop("version", None)
    if version not in READ_VERSIONS or isinstance(version, bool):
        raise ValueError(f"its format is version {version!r}, this dtnctl knows {VERSION} and older")
    data = _checked(data)
    return Attempt(**data | {name: tuple(sorted(data[name].items())) for name in PAIRS if name in data})


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    kinds = FIELD_KINDS
    unknown = sorted(data.keys() - kinds.keys())
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}")
    missing = sorted({"transfer", "generation", "attempt", "container", "claimed_at"} - data.keys())
    if missing:
        raise ValueError(f"field {missing[0]!r} is missing")
    wrong = sorted(name for name, value in data.items() if not _fits(kinds[name], value))
    if wrong:
        raise ValueError(f"field {wrong[0]!r} has a wrong value")
    return data


def _fits(kind: str, value: object) -> bool:
    """Whether a value of JSON is one of the field's kind. A truth value is no number here."""
    match kind:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "int | None":
            return value is None or _fits("int", value)
        case "float | None":
            return value is None or _fits("float", value)
        case "Passed":
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case "Resolution":
            return value in RESOLUTIONS
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
        case _:
            return value is None or value in VERDICTS
