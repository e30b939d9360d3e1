"""`--apply` of the commands that write state files: write, plan, ask, commit, apply; after a no the files are as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    from dtnctl.repository.git import commit_file

    commit_id = commit_file(repository.root, edit.file, after.message or edit.message)
    typer.echo(f"committed {edit.file} as {commit_id}")


def apply_edits(context: typer.Context, repository: Repository, edits: Iterable[Edit], after: AfterEdit) -> int:
    """The edits, and the run of what they are about alone. What raises before it was agreed to leaves the files as they were."""
    from dtnctl.cli.messages import announce
    from dtnctl.repository.state_files import change_between, read_contents, restore

    before = read_contents(repository.root, repository.folder)
    made: list[Edit] = []
    flow = _Flow(repository, made, after)
    try:
        for edit in edits:
            typer.echo("\n".join(edit.sentences))
            made.append(edit)
        return _apply(context, flow)
    except BaseException:
        change = change_between("this command", before, read_contents(repository.root, repository.folder))
        if not flow.is_agreed and change is not None:
            restore(repository.root, repository.folder, change)
            announce(f"{', '.join(change.files)}: as before")
        raise


@dataclass(slots=True)
class _Flow:
    """The edits of one command, and whether the plan of them was agreed to."""

    repository: Repository
    made: list[Edit]
    after: AfterEdit
    is_agreed: bool = False

    def agreed(self, workplace: Workplace) -> Workplace:
        """Commit what was written, so that the run is recorded as one of that commit."""
        from dtnctl.client.workplace import with_new_head

        for edit in self.made if self.after.commit else ():
            commit_edit(self.repository, edit, self.after)
        self.is_agreed = True
        return with_new_head(workplace) if self.after.commit else workplace


def _apply(context: typer.Context, flow: _Flow) -> int:
    from dtnctl.cli.apply import Consent, run_apply
    from dtnctl.cli.options import PlanOutput
    from dtnctl.cli.plan_output import printing_of
    from dtnctl.cli.workplace import lock_seconds, scope_of

    scope = scope_of([edit.target for edit in flow.made], [], [], "")
    consent = Consent(flow.after.yes, False, "", lock_seconds(None), True, 0, agreed=flow.agreed)
    return run_apply("apply", printing_of(context, PlanOutput.text), scope, TIMEOUT, consent)
