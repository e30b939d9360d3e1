"""What people write of a tool of their own: state/tools/NAME.yaml. Checks between its keys are in validation/tools.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema, model_validator

from dtnctl.model.declared_tools import DeclaredTool, ToolOption
from dtnctl.model.fields import described
from dtnctl.model.tool_patterns import LONGEST_PATTERN, check_pattern, check_progress, unknown_names
from dtnctl.model.tool_words import LONGEST_WORD, check_word
from dtnctl.model.tools import TOOLS, Side
from dtnctl.model.written import Written

Word = Annotated[str, AfterValidator(check_word), described("argument", {"type": "string", "maxLength": LONGEST_WORD})]
Words = Annotated[tuple[Word, ...], Field(strict=False)]
Command = Annotated[tuple[Word, ...], Field(strict=False, min_length=1)]
Programs = Annotated[tuple[str, ...], Field(strict=False)]
_PATTERN = {"type": "string", "minLength": 1, "maxLength": LONGEST_PATTERN}
Pattern = Annotated[str, AfterValidator(check_pattern), described("regular expression", _PATTERN)]
ProgressText = Annotated[str, AfterValidator(check_progress), described("regular expression", _PATTERN)]

AnyTool = Annotated[
    str, WithJsonSchema({"anyOf": [{"enum": list(TOOLS)}, {"type": "string", "$comment": "name of a file in state/tools"}]})
]


class ToolProgress(Written):
    """How a line of the client's output says how far it is. Lines end at carriage returns, too."""

    pattern: ProgressText = Field(
        description="Searched in each line. Its groups: `bytes` and `unit` (`MiB`, `kB`, `Gbit` …), `percent` of the bytes at the source, "
        "`rate` and `rate_unit`; at least one of `bytes`, `percent` and `rate`."
    )
    k_is: Literal[1000, 1024] = Field(1000, description="What k, M, G stand for in units without an i; `MiB` is always 1024².")
    counts: Literal["total", "interval"] = Field("total", description="Whether `bytes` are all so far, or those since the line before.")


class ToolFailure(Written):
    """What a line of the client's or the server's output means."""

    pattern: Pattern = Field(description="Searched in each line, the client's first.")
    cause: str = Field(min_length=1, description="What is wrong; `{1}` or `{name}` is a group of the pattern.")
    retryable: bool = Field(description="Whether it may pass by itself, so that `retries` apply.")

    @model_validator(mode="after")
    def _names_are_groups(self) -> ToolFailure:
        if unknown := unknown_names(self.cause, self.pattern):
            raise ValueError(f"`cause` names {{{unknown[0]}}}, which is no group of `pattern`")
        return self


class ToolSuccess(Written):
    """What shows that the tool did its work, beside exit code 0: some programs end with 0 although nothing was copied."""

    client_has: Pattern | None = Field(None, description="Must be in a line of the client's output.")
    client_lacks: Pattern | None = Field(None, description="Must be in none of them.")
    server_has: Pattern | None = Field(
        None,
        description="Must be in a line of the server's output. A measurement takes its bytes from the groups `bytes` and `unit` of "
        "`server_has`, else of `client_has`.",
    )
    server_lacks: Pattern | None = Field(None, description="Must be in none of them.")


class ToolFile(Written):
    """A transfer tool of your own; [tools of your own](tools.md) has the placeholders of its command lines, and examples."""

    moves: Literal["files", "memory"] = Field(description="Files, or bytes from memory to memory: a measurement without paths.")
    client: Command = Field(
        description="The program and its arguments, one a word, with placeholders; no shell reads them. It runs at the source, and ends by "
        "itself with exit code 0 when all is moved."
    )
    options: dict[ToolOption, Words] = Field(
        default_factory=dict,
        description="Options of transfers that the tool has, with the arguments for each: `{value}` is what the transfer says. "
        "`recursive` and `links` (follow) are added where they are asked for, `block_size` and `tcp_buffer` (bytes) where they are "
        "written, `parallelism` and `concurrency` always. They stand where `{options}` is in `client`.",
    )
    server: Words = Field((), description="A program beside the destination's service, started before the client, stopped after it.")
    ready: Words = Field(
        (),
        description="A command in the server's container whose exit code 0 says that it takes connections. "
        "Missing: something listens on TCP port `{port}`.",
    )
    programs: Programs = Field((), description="Programs that the image at the source must have beside the client's first word.")
    server_programs: Programs = Field((), description="Programs that the image at the destination must have beside the server's.")
    logs_in_at: Annotated[tuple[Side, ...], Field(strict=False)] = Field(
        (), description="The ends that it logs in to by ssh, with a key of its own for each attempt and the end's pinned host key."
    )
    reads_source: bool | None = Field(
        None,
        description="Whether the client reads the files itself: it then runs as the session's user and sees the service's volumes. "
        "`false`: it only controls what the two ends do. Missing: true for files.",
    )
    progress: ToolProgress | None = Field(None, description="Missing: nothing is shown, and no `stall_timeout` applies.")
    failures: Annotated[tuple[ToolFailure, ...], Field(strict=False)] = Field(
        (), description="Why it failed, by what it wrote; the first one that is found counts."
    )
    success: ToolSuccess = Field(default_factory=ToolSuccess, description="What must be seen beside exit code 0.")

    def declared(self, name: str) -> DeclaredTool:
        """The tool of this file, as plans carry it."""
        values = self.model_dump(exclude={"options", "reads_source"})
        options = tuple(sorted(self.options.items()))
        read: DeclaredTool = TypeAdapter(DeclaredTool).validate_python(
            {**values, "name": name, "options": options, "reads_source": self.reads_source is not False}
        )
        return read
