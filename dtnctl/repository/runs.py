"""The record of runs in a ref of the state repository: written when a run ends, read for `history` and `rollback`.

The tree holds the newest records of each site, its history all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dtnctl.model.runs import REF, RunRecord, beyond_the_bound, decode_run, encode_run, is_run, run_id, run_path
from dtnctl.repository.record_ref import Change, MirrorError, RecordRef

FETCHED = "refs/dtnctl/remote-runs/"  # by remote: where its ref is kept as it was fetched last


@dataclass(frozen=True, slots=True)
class Read:
    """Records by id, the newest first. `unreadable`: files that a newer dtnctl wrote. `trouble`: why nothing can be read."""

    records: dict[str, RunRecord]
    unreadable: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one site. `remote` is the Git remote that has them, too; empty without one. `who` makes the commits."""

    root: Path
    site: str
    remote: str = ""
    who: str = "dtnctl"

    @property
    def _ref(self) -> RecordRef:
        return RecordRef(self.root, REF, FETCHED, self.site, self.remote, self.who)

    def fetch(self) -> str:
        """Ask the remote for its ref. Returns why that cannot be; empty if it was done, or the remote has none yet."""
        return self._ref.fetch()

    def read(self) -> Read:
        """The records that are kept here and were fetched."""
        ref = self._ref
        try:
            files: dict[str, str] = {}
            for commit in ref.tips().values():
                files |= _runs_of(ref, commit)
            contents = ref.contents(sorted(set(files.values())))
        except MirrorError as error:
            return Read({}, trouble=str(error))
        found = {run_id(path): decode_run(contents[files[path]]) for path in sorted(files, reverse=True)}
        records = {name: record for name, record in found.items() if record is not None}
        return Read(records, len(found) - len(records))

    def write(self, record: RunRecord) -> str:
        """Keep the record, here and at the remote, and bring what one of them lacks. Returns why that cannot be; empty if it was done.

        A run that did nothing is not kept where the newest record says the same: a loop would fill the ref.
        """
        ref = self._ref
        try:
            files = {} if self._is_old_news(ref, record) else {run_path(self.site, record): encode_run(record)}
            message = f"{record.command} of {self.site}: {record.result}\n\ncommit {record.commit or 'none'}\nplan {record.plan}"
            ref.write(lambda base, other: self._change(ref, files, message, base, other), lambda base, other: self._merge(ref, base, other))
        except MirrorError as error:
            return str(error)
        return ""

    def _is_old_news(self, ref: RecordRef, record: RunRecord) -> bool:
        newest = next(self._newest(ref), None)
        return newest is not None and record.says_the_same(newest)

    def _newest(self, ref: RecordRef) -> Iterator[RunRecord]:
        files: dict[str, str] = {}
        for commit in ref.tips().values():
            files |= _runs_of(ref, commit)
        for path in sorted(files, reverse=True)[:1]:
            record = decode_run(ref.contents([files[path]])[files[path]])
            if record is not None:
                yield record

    def _merge(self, ref: RecordRef, base: str | None, other: str | None) -> Change:
        return self._change(ref, {}, f"Runs of {self.site}", base, other)

    def _change(self, ref: RecordRef, files: dict[str, bytes], message: str, base: str | None, other: str | None) -> Change:
        """What has to be written on top of `base`: our record, those that the other one alone has, and the oldest ones go."""
        known = {} if base is None else _runs_of(ref, base)
        theirs = {} if other is None else _runs_of(ref, other)
        added: dict[str, bytes | str | None] = {path: name for path, name in theirs.items() if path not in known}
        added |= {path: content for path, content in files.items() if path not in known}
        for path in beyond_the_bound({*known, *added}, datetime.now(UTC)):
            added.pop(path, None)
            if path in known:
                added[path] = None
        return Change(added, message)


def _runs_of(ref: RecordRef, commit: str) -> dict[str, str]:
    return {path: name for path, name in ref.files(commit).items() if is_run(path)}
