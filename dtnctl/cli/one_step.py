"""`--apply` of the commands that write state files: write, plan, ask, commit, apply; after a no the files are as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dtnctl.client.workplace import Workplace
    from dtnctl.repository.edit import Edit, Repository

TIMEOUT = 10.0  # until an endpoint counts as silent, as of `dtnctl apply`


@dataclass(frozen=True, slots=True)
class AfterEdit:
    """What follows an edit. `message` is the commit's; None: made up."""

    commit: bool
    message: str | None
    apply: bool
    yes: bool


def commit_edit(repository: Repository, edit: Edit, after: AfterEdit) -> None:
    """Commit the file that was written, and nothing else."""
    typer.echo(_commit(repository, [edit], after))


def _commit(repository: Repository, edits: Sequence[Edit], after: AfterEdit) -> str:
    """All of them in one commit; the sentence about it."""
    from dtnctl.repository.git import commit_files

    files = list(dict.fromkeys(edit.file for edit in edits))
    commit_id = commit_files(repository.root, files, after.message or "; ".join(edit.message for edit in edits))
    return f"committed {', '.join(files)} as {commit_id}"


def apply_edits(context: typer.Context, repository: Repository, edits: Iterable[Edit], after: AfterEdit) -> int:
    """The edits, and the run of what they are about alone. What raises before it was agreed to leaves the files as they were."""
    flow = _Flow(repository, [], after)
    try:
        for edit in edits:
            flow.made.append(edit)
            typer.echo("\n".join(edit.sentences))
        return _apply(context, flow)
    except BaseException:
        if not flow.is_agreed:
            _take_back(repository, flow.made)
        raise


def _take_back(repository: Repository, made: Sequence[Edit]) -> None:
    """The last edit first: two may be of one file. A file that somebody changed meanwhile is left as it is, and named."""
    from dtnctl.cli.messages import announce
    from dtnctl.repository.state_files import changed_since, restore

    for edit in reversed(made):
        if changed_since(repository.root, edit.change):
            announce(f"{edit.file}: somebody changed it meanwhile, so it is not restored; edit it by hand")
        else:
            restore(repository.root, edit.change)
            announce(f"{edit.file}: as before")


@dataclass(slots=True)
class _Flow:
    """The edits of one command, and whether the plan of them was agreed to."""

    repository: Repository
    made: list[Edit]
    after: AfterEdit
    is_agreed: bool = False

    def agreed(self, workplace: Workplace) -> Workplace:
        """Commit what was written, in one commit, so that the run is recorded as one of it."""
        from dtnctl.client.workplace import with_new_head

        if not self.after.commit:
            self.is_agreed = True
            return workplace
        sentence = _commit(self.repository, self.made, self.after)
        self.is_agreed = True
        typer.echo(sentence)
        return with_new_head(workplace)


def _apply(context: typer.Context, flow: _Flow) -> int:
    from dtnctl.cli.apply import Consent, run_apply
    from dtnctl.cli.options import PlanOutput
    from dtnctl.cli.plan_output import printing_of
    from dtnctl.cli.workplace import lock_seconds, scope_of

    scope = scope_of([edit.target for edit in flow.made], [], [], "")
    consent = Consent(flow.after.yes, False, "", lock_seconds(None), True, 0, agreed=flow.agreed)
    return run_apply("apply", printing_of(context, PlanOutput.text), scope, TIMEOUT, consent)
