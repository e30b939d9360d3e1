"""`dtnctl rollback SESSION`: its file as it was when it last was applied well, shown as a plan, and written and committed when asked."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.messages import say
from dtnctl.cli.plan_output import plan_context, print_plan, printing_of
from dtnctl.cli.workplace import is_ci, open_workplace
from dtnctl.client.run_record import runs_of
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtnctl.cli.plan_output import Printing
    from dtnctl.client.workplace import Workplace
    from dtnctl.repository.rollback import Revert

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Session; it may be one that was deleted.", autocompletion=names.sessions)
]
ToOption = Annotated[
    str, typer.Option("--to", metavar="COMMIT", show_default=False, help="Missing: the last one that was applied well and differs.")
]
AlsoOption = Annotated[
    list[str],
    typer.Option(
        "--also", metavar="KIND/NAME", help="A profile or network that it used, back to that commit, too; `all` for each of them."
    ),
]
AloneOption = Annotated[bool, typer.Option("--alone", help="Profiles and networks stay as they are now.")]
WriteOption = Annotated[bool, typer.Option("--write", help="Write the files; missing: the plan alone.")]
CommitOption = Annotated[bool, typer.Option("--commit", help="Write the files and commit them, and nothing else.")]
MessageOption = Annotated[str | None, typer.Option("-m", "--message", help="The commit's message; made up if none is given.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed about files."""

    also: tuple[str, ...]
    alone: bool
    writes: bool


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("rollback")(rollback_command)


def rollback_command(
    context: typer.Context,
    session: SessionArgument,
    to: ToOption = "",
    also: AlsoOption = [],  # noqa: B006  # typer reads the default
    alone: AloneOption = False,
    write: WriteOption = False,
    commit: CommitOption = False,
    message: MessageOption = None,
    dry_run: opt.DryRunOption = False,
    output: opt.PlanOutputOption = opt.PlanOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Show the plan of a session as an earlier commit has it; with --write or --commit its file becomes so. Endpoints are not changed."""
    from dtnctl.repository.git import commit_files
    from dtnctl.repository.rollback import refuse_uncommitted, write_revert

    printing = printing_of(context, output)
    if dry_run and (write or commit):
        raise UsageError("--dry-run shows the plan alone; omit it, or --write and --commit")
    workplace = open_workplace()
    revert = _revert(workplace, session, to)
    chosen = _chosen(revert, Asked(tuple(also), alone, write or commit))
    if not chosen:
        say(f"session {session} is as it was at {revert.commit[:7]}: there is nothing to write")
    refuse_uncommitted(workplace.root, STATE_FOLDER, chosen)
    reverted = _with_site(workplace, revert, chosen)
    files = [f"{STATE_FOLDER}/{name}" for name in chosen]
    if write or commit:
        write_revert(workplace.root, STATE_FOLDER, revert, chosen)
        for file in files:
            say(f"wrote {file} as it was at {revert.commit[:7]}")
    if commit and chosen:
        text = message or f"rollback {session} to {revert.commit[:7]}"
        say(f"committed {', '.join(files)} as {commit_files(workplace.root, files, text)}")
    elif chosen and not write:
        say(f"--write would write {', '.join(files)} as it was at {revert.commit[:7]}; --commit would commit it, too")
    return _print_plan(reverted, printing, timeout)


def _print_plan(workplace: Workplace, printing: Printing, timeout: float) -> int:
    from dtnctl.cli.plan import make_plan, plan_exit_code
    from dtnctl.planning.planner import Scope

    plan = make_plan(workplace, Scope(), timeout)
    print_plan(plan, plan_context(workplace, "plan", printing, Scope()), printing)
    return plan_exit_code(plan, detailed=False)


def _with_site(workplace: Workplace, revert: Revert, chosen: Sequence[str]) -> Workplace:
    """The workplace as if the files were written. ConfigError names what would not be valid, and what may help."""
    from dtnctl.repository.state_at import site_of

    try:
        return replace(workplace, site=site_of(revert.state(chosen), STATE_FOLDER))
    except ConfigError as error:
        say(f"with session {revert.session} as it was at {revert.commit[:7]} the state would not be valid; nothing was written")
        left = [_word(name) for name in revert.used if name not in chosen]
        if left:
            say(f"it used these, which are others now: {', '.join(left)}; `--also all` takes them back, too")
        raise error from None


# --- which commit ---------------------------------------------------------------------------------------------------


def _revert(workplace: Workplace, session: str, to: str) -> Revert:
    from dtnctl.repository.rollback import read_now
    from dtnctl.repository.state_at import read_commit

    now = read_now(workplace.root, STATE_FOLDER)
    if to:
        return _at(workplace, session, read_commit(workplace.root, to).id, now)
    head = workplace.head.result()
    if not head.commit:
        raise UsageError(f"there is no earlier commit to go back to: {head.text}")
    return _last_good(workplace, session, head.commit, now)


def _at(workplace: Workplace, session: str, commit: str, now: dict[str, bytes]) -> Revert:
    from dtnctl.repository.rollback import revert_to
    from dtnctl.repository.state_at import site_at

    site = site_at(workplace.root, STATE_FOLDER, commit)
    if site is None:
        raise UsageError(f"{commit[:7]} has no {STATE_FOLDER}/site.yaml, so nothing was declared then")
    return revert_to(workplace.root, STATE_FOLDER, session, commit, site, now)


def _last_good(workplace: Workplace, session: str, head: str, now: dict[str, bytes]) -> Revert:
    """The newest commit that was applied well and in which the session is another one; commits that cannot be read are named."""
    from dtnctl.repository.rollback import good_commits

    runs = runs_of(workplace)
    trouble = runs.fetch() if runs.remote else ""
    if trouble:
        say(f"note: runs cannot be fetched from {runs.remote}: {trouble}; those that this clone has count")
    read = runs.read()
    commits = good_commits(read.records, session, head)
    for commit in commits:
        try:
            revert = _at(workplace, session, commit, now)
        except (UsageError, ConfigError) as error:
            say(f"note: {commit[:7]} is passed over: {str(error).splitlines()[0]}")
            continue
        if revert.differs:
            return revert
    found = f"{len(commits)} recorded and good for it, none differs from now" if commits else "none is recorded as good for it"
    raise UsageError(
        f"no earlier applied commit to take session {session} back to: {read.trouble or found}",
        "name one by --to COMMIT; `git log -- state/sessions` has them all, `dtnctl history` what was applied",
    )


# --- which files ----------------------------------------------------------------------------------------------------


def _chosen(revert: Revert, asked: Asked) -> tuple[str, ...]:
    """The files that are written. Where the session used what is another one now, a person must decide what becomes of that."""
    if asked.alone and asked.also:
        raise UsageError("--alone and --also contradict each other")
    words = {_word(name): name for name in revert.used}
    unknown = [word for word in asked.also if word != "all" and word not in words]
    if unknown:
        raise UsageError(f"{unknown[0]} is not among what it used and is another one now: {', '.join(words) or 'nothing is'}")
    if asked.also or asked.alone or not words:
        return revert.names(revert.used if "all" in asked.also else [words[word] for word in asked.also])
    for word, name in words.items():
        say(f"{STATE_FOLDER}/{name}:{_line(revert, name)}: {word} is not as session {revert.session} used it at {revert.commit[:7]}")
    return revert.names(revert.used if asked.writes and _answers_yes(revert, words) else ())


def _answers_yes(revert: Revert, words: dict[str, str]) -> bool:
    """Ask whether they go back, too. UsageError where no person can be asked."""
    if is_ci() or not sys.stdin.isatty():
        raise UsageError(f"say what becomes of {', '.join(words)}: `--also all` (or one of them) takes it back, too; `--alone` leaves it")
    sys.stderr.write(f"Take {', '.join(words)} back to {revert.commit[:7]}, too? Others may use it. [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _word(name: str) -> str:
    """`profile/dtn` of profiles/dtn.yaml."""
    kind, _, file = name.partition("/")
    return f"{kind.removesuffix('s')}/{file.rpartition('.')[0]}"


def _line(revert: Revert, name: str) -> int:
    """The first line that differs."""
    then, now = revert.then[name].splitlines(), revert.now.get(name, b"").splitlines()
    pairs = enumerate(zip(then, now, strict=False), start=1)
    return next((number for number, (old, new) in pairs if old != new), min(len(then), len(now)) + 1)
