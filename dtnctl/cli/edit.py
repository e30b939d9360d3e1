"""The commands that write state files for people who type. They never touch an endpoint; `dtnctl apply` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.workplace import repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import UsageError

if TYPE_CHECKING:
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
    endpoints: EndpointsArgument,
    words: WordsArgument = None,
    image: ImageOption = None,
    profile: ProfileOption = None,
    user: UserOption = None,
    name: NameOption = None,
    state: StateOption = None,
    commit: CommitOption = False,
    message: MessageOption = None,
) -> None:
    """Write a session file: `session create dtn1,dtn2 image dtn:1 profile dtn`. `dtnctl apply` makes it so."""
    from dtnctl.repository.edit import create_session

    options = {"image": image, "profile": profile, "user": user, "state": state, "name": name}
    fields = {**_pairs(words or [], tuple(options)), **{key: value for key, value in options.items() if value is not None}}
    wanted_name = fields.pop("name", None)
    repository = _repository()
    named = [endpoint.strip() for endpoint in endpoints.split(",") if endpoint.strip()]
    _report(repository, create_session(repository, named, fields, wanted_name), commit, message)


def _pairs(words: list[str], keys: tuple[str, ...]) -> dict[str, str]:
    """`image IMAGE profile PROFILE` as fields."""
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or set(pairs) - set(keys) or 2 * len(pairs) != len(words):
        raise UsageError(f"{' '.join(words)} is not understood; try image IMAGE profile PROFILE")
    return pairs


def session_start(names: NamesArgument, commit: CommitOption = False, message: MessageOption = None) -> None:
    """Write `state: started` into session files."""
    from dtnctl.repository.edit import set_session_state

    repository = _repository()
    for name in names:
        _report(repository, set_session_state(repository, name, "started"), commit, message)


def session_stop(names: NamesArgument, commit: CommitOption = False, message: MessageOption = None) -> None:
    """Write `state: stopped` into session files."""
    from dtnctl.repository.edit import set_session_state

    repository = _repository()
    for name in names:
        _report(repository, set_session_state(repository, name, "stopped"), commit, message)


def session_delete(names: NamesArgument, commit: CommitOption = False, message: MessageOption = None) -> None:
    """Remove session files. `dtnctl apply` then removes their containers."""
    from dtnctl.repository.edit import delete_session

    repository = _repository()
    for name in names:
        _report(repository, delete_session(repository, name), commit, message)


def transfer_command(
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
) -> None:
    """Declare a transfer: `transfer dtn1:/data/1T dtn2:/data/1T gridftp`. One that exists already gets a higher generation."""
    from dtnctl.repository.edit import declare_transfer

    where = _given(session=session, generation=generation, recursive=recursive or None)
    copying = _given(parallelism=parallelism, concurrency=concurrency, block_size=block_size, tcp_buffer=tcp_buffer)
    judging = _given(verify=verify, algorithm=algorithm)
    trying = _given(retries=retries, backoff=backoff, deadline=deadline, stall_timeout=stall_timeout)
    fields = {"from": source, "to": destination, "tool": tool, **where, **copying, **judging, **trying}
    repository = _repository()
    _report(repository, declare_transfer(repository, fields, name), commit, message)


def _given(**options: object) -> dict[str, object]:
    """Those of the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _repository() -> Repository:
    from dtnctl.repository.edit import Repository
    from dtnctl.runtime.clock import SystemClock

    return Repository(repository_root(), STATE_FOLDER, SystemClock().now())


def _report(repository: Repository, edit: Edit, commit: bool, message: str | None) -> None:
    for sentence in edit.sentences:
        typer.echo(sentence)
    if commit:
        from dtnctl.repository.git import commit_file

        commit_id = commit_file(repository.root, edit.file, message or edit.message)
        typer.echo(f"committed {edit.file} as {commit_id}")
