"""The mirror of records of transfers in a ref of the state repository: which records are written, and what a merge of two keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.model.ledger import Attempt, decode_attempt
from dtnctl.model.receipts import REF, Mirror, differing, is_about, merged, mirrored_content, to_be_mirrored
from dtnctl.repository.record_ref import Change, MirrorError, RecordRef

FETCHED = "refs/dtnctl/remotes/"  # by remote: where its ref is kept as it was fetched last
NAMED = 50  # records that a commit's message names


@dataclass(frozen=True, slots=True)
class Receipts:
    """The mirror of one site. `remote` is the Git remote that has it, too; empty without one. `who` makes the commits."""

    root: Path
    site: str
    remote: str = ""
    who: str = "dtnctl"

    @property
    def _ref(self) -> RecordRef:
        return RecordRef(self.root, REF, FETCHED, self.site, self.remote, self.who)

    # --- reading ---

    def read(self, generations: Mapping[str, int]) -> Mirror:
        """What is mirrored here and was fetched; records of these generations, by transfer. `trouble` says what cannot be read."""
        ref = self._ref
        try:
            files: dict[str, str] = {}
            attempts: tuple[Attempt, ...] = ()
            for commit in ref.tips().values():
                found = ref.files(commit)
                wanted = {path: name for path, name in found.items() if is_about(path, self.site, generations)}
                attempts = merged(attempts, _decoded(ref, wanted).values())
                files |= found
            return Mirror(files, attempts)
        except MirrorError as error:
            return Mirror(trouble=str(error))

    def fetch(self) -> str:
        """Ask the remote for its ref. Returns why that cannot be; empty if it was done, or the remote has none yet."""
        return self._ref.fetch()

    # --- writing ---

    def write(self, attempts: Iterable[Attempt]) -> str:
        """Mirror these records, here and at the remote. Returns why that cannot be; empty if it was done."""
        ref, wanted = self._ref, tuple(attempts)
        try:
            ref.write(lambda base, other: self._change(ref, wanted, base, other), lambda base, other: self._change(ref, (), base, other))
        except MirrorError as error:
            return str(error)
        return ""

    def _change(self, ref: RecordRef, attempts: tuple[Attempt, ...], base: str | None, other: str | None) -> Change:
        """What has to be written on top of `base`."""
        files = ref.files(base) if base is not None else {}
        new = {} if other is None else {path: name for path, name in ref.files(other).items() if files.get(path) != name}
        wanted = differing(self.site, attempts, files)
        known = _decoded(ref, {path: files[path] for path in {*new, *wanted} if path in files})
        changes: dict[str, Attempt] = {}
        for path, attempt in (*_decoded(ref, new).items(), *wanted.items()):
            best = to_be_mirrored(attempt, known.get(path))
            if best is not None:
                changes[path] = known[path] = best
        lines = [f"{item.transfer} g{item.generation}a{item.attempt}: {_state(item)}" for item in changes.values()]
        message = "\n".join([f"Receipts of {self.site}", "", *lines[:NAMED]])
        return Change({path: mirrored_content(attempt) for path, attempt in changes.items()}, message)


def _decoded(ref: RecordRef, files: Mapping[str, str]) -> dict[str, Attempt]:
    """The records in these files."""
    contents = ref.contents(sorted(set(files.values())))
    return {path: decode_attempt(path, contents[name]) for path, name in files.items()}


def _state(attempt: Attempt) -> str:
    return attempt.verdict or ("released" if attempt.released else "claimed")
