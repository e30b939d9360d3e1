"""The commands that write state files for people who type. Without `--apply` they never touch an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.one_step import AfterEdit, commit_edit
from dtnctl.cli.workplace import repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtnctl.repository.edit import Edit, Repository

EndpointsArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT[,ENDPOINT]...", help="Endpoints, one service each.", autocompletion=names.endpoints)
]
WordsArgument = Annotated[list[str] | None, typer.Argument(metavar="[image IMAGE] [profile PROFILE]", help="The same as the options.")]
NamesArgument = Annotated[list[str], typer.Argument(metavar="SESSION...", help="Sessions.", autocompletion=names.sessions)]
ImageOption = Annotated[str | None, typer.Option("--image", help="Container image.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="Profile; `default` if none is named.", autocompletion=names.profiles)]
UserOption = Annotated[str | None, typer.Option("--user", help="Login name inside the containers.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Name of the new file; made up if none is given.")]
StateOption = Annotated[str | None, typer.Option("--state", help="initialized (as if not given), started or stopped.")]
CommitOption = Annotated[bool, typer.Option("--commit", help="Commit the file, and nothing else.")]
MessageOption = Annotated[str | None, typer.Option("-m", "--message", help="The commit's message; made up if none is given.")]
ApplyOption = Annotated[
    bool, typer.Option("--apply", help="Then plan, ask and apply it alone; commits with --commit. After a no the files are as before.")
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", "--auto-approve", help="With --apply: do not ask.")]

FromArgument = Annotated[
    str, typer.Argument(metavar="FROM", help="ENDPOINT:/path; a path that ends in / is a folder.", autocompletion=names.ends)
]
ToArgument = Annotated[str, typer.Argument(metavar="TO", help="ENDPOINT:/path.", autocompletion=names.ends)]
ToolArgument = Annotated[str, typer.Argument(metavar="TOOL", help="`dtnctl tools list` shows them.", autocompletion=names.tools)]
SessionOption = Annotated[
    str | None, typer.Option("--session", help="Session that carries it; the one suitable if none is named.", autocompletion=names.sessions)
]
GenerationOption = Annotated[int | None, typer.Option("--generation", help="Raise it to run again.")]
RecursiveOption = Annotated[bool, typer.Option("--recursive", help="Copy a folder with all below it.")]
ParallelismOption = Annotated[int | None, typer.Option("--parallelism", help="TCP streams per file.")]
ConcurrencyOption = Annotated[int | None, typer.Option("--concurrency", help="Files at once.")]
VerifyOption = Annotated[str | None, typer.Option("--verify", help="none, size or checksum.")]
AlgorithmOption = Annotated[str | None, typer.Option("--algorithm", help="Checksum: md5, sha256 or sha512.")]
BlockSizeOption = Annotated[str | None, typer.Option("--block-size", help="Size of a disk block: 4MiB.")]
TcpBufferOption = Annotated[str | None, typer.Option("--tcp-buffer", help="TCP buffer of a stream: 64MiB.")]
RetriesOption = Annotated[int | None, typer.Option("--retries", help="Further tries after a failure that may pass by itself.")]
BackoffOption = Annotated[
    str | None, typer.Option("--backoff", parser=opt.written_time, metavar="TIME", help="Pause before the first retry: 5s.")
]
DeadlineOption = Annotated[
    str | None, typer.Option("--deadline", parser=opt.written_time, metavar="TIME", help="Longest time for all tries together: 2h.")
]
StallOption = Annotated[
    str | None,
    typer.Option(
        "--stall-timeout", parser=opt.written_time, metavar="TIME", help="Without progress for that long, the try has failed: 10m."
    ),
]


def session_create(
    context: typer.Context,
    endpoints: EndpointsArgument,
    words: WordsArgument = None,
    image: ImageOption = None,
    profile: ProfileOption = None,
    user: UserOption = None,
    name: NameOption = None,
    state: StateOption = None,
    commit: CommitOption = False,
    message: MessageOption = None,
    apply: ApplyOption = False,
    yes: YesOption = False,
) -> int:
    """Write a session file: `session create dtn1,dtn2 image dtn:1 profile dtn`. `dtnctl apply` makes it so."""
    from dtnctl.repository.edit import create_session

    options = {"image": image, "profile": profile, "user": user, "state": state, "name": name}
    fields = {**_pairs(words or [], tuple(options)), **{key: value for key, value in options.items() if value is not None}}
    wanted_name = fields.pop("name", None)
    repository = _repository(context)
    named = [endpoint.strip() for endpoint in endpoints.split(",") if endpoint.strip()]
    edits = (create_session(repository, named, fields, wanted_name) for _ in range(1))
    return _finish(context, repository, edits, AfterEdit(commit, message, apply, yes))


def _pairs(words: list[str], keys: tuple[str, ...]) -> dict[str, str]:
    """`image IMAGE profile PROFILE` as fields."""
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or set(pairs) - set(keys) or 2 * len(pairs) != len(words):
        raise UsageError(f"{' '.join(words)} is not understood; try image IMAGE profile PROFILE")
    return pairs


def session_start(
    context: typer.Context,
    names: NamesArgument,
    commit: CommitOption = False,
    message: MessageOption = None,
    apply: ApplyOption = False,
    yes: YesOption = False,
) -> int:
    """Write `state: started` into session files."""
    from dtnctl.repository.edit import set_session_state

    repository = _repository(context)
    edits = (set_session_state(repository, name, "started") for name in names)
    return _finish(context, repository, edits, AfterEdit(commit, message, apply, yes))


def session_stop(
    context: typer.Context,
    names: NamesArgument,
    commit: CommitOption = False,
    message: MessageOption = None,
    apply: ApplyOption = False,
    yes: YesOption = False,
) -> int:
    """Write `state: stopped` into session files."""
    from dtnctl.repository.edit import set_session_state

    repository = _repository(context)
    edits = (set_session_state(repository, name, "stopped") for name in names)
    return _finish(context, repository, edits, AfterEdit(commit, message, apply, yes))


def session_delete(
    context: typer.Context,
    names: NamesArgument,
    commit: CommitOption = False,
    message: MessageOption = None,
    apply: ApplyOption = False,
    yes: YesOption = False,
) -> int:
    """Remove session files. `dtnctl apply` then removes their containers."""
    from dtnctl.repository.edit import delete_session

    repository = _repository(context)
    edits = (delete_session(repository, name) for name in names)
    return _finish(context, repository, edits, AfterEdit(commit, message, apply, yes))


def transfer_command(
    context: typer.Context,
    source: FromArgument,
    destination: ToArgument,
    tool: ToolArgument,
    session: SessionOption = None,
    generation: GenerationOption = None,
    recursive: RecursiveOption = False,
    parallelism: ParallelismOption = None,
    concurrency: ConcurrencyOption = None,
    verify: VerifyOption = None,
    algorithm: AlgorithmOption = None,
    block_size: BlockSizeOption = None,
    tcp_buffer: TcpBufferOption = None,
    retries: RetriesOption = None,
    backoff: BackoffOption = None,
    deadline: DeadlineOption = None,
    stall_timeout: StallOption = None,
    name: NameOption = None,
    commit: CommitOption = False,
    message: MessageOption = None,
    apply: ApplyOption = False,
    yes: YesOption = False,
) -> int:
    """Declare a transfer: `transfer dtn1:/data/1T dtn2:/data/1T gridftp`. One that exists already gets a higher generation."""
    from dtnctl.repository.edit import declare_transfer

    where = _given(session=session, generation=generation, recursive=recursive or None)
    copying = _given(parallelism=parallelism, concurrency=concurrency, block_size=block_size, tcp_buffer=tcp_buffer)
    judging = _given(verify=verify, algorithm=algorithm)
    trying = _given(retries=retries, backoff=backoff, deadline=deadline, stall_timeout=stall_timeout)
    fields = {"from": source, "to": destination, "tool": tool, **where, **copying, **judging, **trying}
    repository = _repository(context)
    edits = (declare_transfer(repository, fields, name) for _ in range(1))
    return _finish(context, repository, edits, AfterEdit(commit, message, apply, yes))


def _given(**options: object) -> dict[str, object]:
    """Those of the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _repository(context: typer.Context) -> Repository:
    from dtnctl.repository.edit import Repository
    from dtnctl.runtime.clock import SystemClock

    called = context.ensure_object(Invocation).called
    return Repository(repository_root(), STATE_FOLDER, SystemClock().now(), called)


def _finish(context: typer.Context, repository: Repository, edits: Iterable[Edit], after: AfterEdit) -> int:
    """Edits are made one after the other, as they are iterated over."""
    if after.apply:
        from dtnctl.cli.one_step import apply_edits

        return apply_edits(context, repository, edits, after)
    if after.yes:
        raise UsageError("--yes answers the question of --apply; pass both")
    for edit in edits:
        for sentence in edit.sentences:
            typer.echo(sentence)
        if after.commit:
            commit_edit(repository, edit, after)
    return 0
