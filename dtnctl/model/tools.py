"""The transfer tools, a row each: what a tool moves, where it logs in, which ports and programs it needs, and the options that it has.

A row, and a module of the same name in dtnctl/movers, is all that a new tool is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter

from dtnctl.model.fields import Duration, Size

ToolName = Literal["gridftp", "iperf3", "nuttcp", "rclone", "rdma", "rdma_bw", "rsync", "scp", "xrootd"]
Side = Literal["source", "destination"]
Protocol = Literal["sftp", "webdav", "s3"]


@dataclass(frozen=True, slots=True)
class OwnOptions:
    """The base of options that one tool alone has; a transfer's file has them under `options:`.

    Their types must not convert what is written: StrictBool, StrictInt, Duration, Size.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def applied_to(self, tool: Tool) -> Tool:
        """The row of a transfer by `tool` with these options, where they change what it needs."""
        return tool


@dataclass(frozen=True, slots=True)
class Iperf3Options(OwnOptions):
    """A measurement from memory to memory."""

    seconds: Annotated[Duration, Field(ge=1, le=86400, description="How long it sends.")] = 10.0
    reverse: Annotated[StrictBool, Field(description="The destination sends to the source.")] = False
    bidirectional: Annotated[StrictBool, Field(description="Both send at once.")] = False


@dataclass(frozen=True, slots=True)
class NuttcpOptions(OwnOptions):
    """A measurement from memory to memory."""

    seconds: Annotated[Duration, Field(ge=1, le=86400, description="How long it sends.")] = 10.0
    reverse: Annotated[StrictBool, Field(description="The destination sends to the source.")] = False


@dataclass(frozen=True, slots=True)
class RcloneOptions(OwnOptions):
    """By which protocol it writes. All but sftp have a server beside the destination's service, instead of a login by ssh."""

    protocol: Annotated[Protocol, Field(description="How it reaches the destination.")] = "sftp"

    def applied_to(self, tool: Tool) -> Tool:
        if self.protocol == "sftp":
            return tool
        options = tuple(name for name in tool.options if name not in ("items", "on_file_error"))  # one folder alone is served
        tool = replace(tool, ports="server", programs=("rclone",), server_programs=("rclone",), logs_in_at=())
        return replace(tool, options=options, one_by_one=False)


@dataclass(frozen=True, slots=True)
class RdmaBwOptions(OwnOptions):
    """A measurement from memory to memory."""

    seconds: Annotated[Duration, Field(ge=1, le=86400, description="How long it writes.")] = 10.0
    bidirectional: Annotated[StrictBool, Field(description="Both write at once.")] = False
    message_size: Annotated[Size, Field(ge=2, le=1 << 30, description="Of one RDMA write.")] = 65536


@dataclass(frozen=True)
class Tool:
    """`moves`: files, or bytes from memory to memory, which is a measurement and has no paths.

    `logs_in_at`: the ends whose sshd it logs in to, with a key of its own for this attempt.
    `reads_source`: its client reads the files itself, in a container beside the source's service that sees the same volumes. Otherwise
    the data goes from service to service and the client only controls that.
    `ports`: the data ports that it needs at the destination. `each file`: one for each file that is copied at the same time, chosen by the
    service's own server. `server`: one, where a server of the attempt listens beside the service; with `stream_ports` also one for each
    parallel stream, in a row after that. `none`: the service's sshd is all.
    `rdma`: it needs a verbs device, the RDMA connection manager and locked memory at both ends.
    `names_ports`: its command line has the destination's data ports in it, so that there must be some.
    `one_by_one`: it copies the items of a transfer one after the other, each by a run of its own; `on_file_error` is about those alone.
    `resumes`: a next try takes over what an earlier one has copied.
    `programs` and `server_programs` must be in the image at the source, and at the destination.
    `options` are those of transfer_options.TransferOptions that it has beyond the ones of every tool, `lacks` those of every tool that it
    does not have; `own` is the type of its own ones.
    """

    name: str
    moves: Literal["files", "memory"]
    ports: Literal["none", "each file", "server"]
    programs: tuple[str, ...]
    server_programs: tuple[str, ...] = ()
    logs_in_at: tuple[Side, ...] = ()
    reads_source: bool = False
    stream_ports: bool = False
    options: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    names_ports: bool = False
    rdma: bool = False
    one_by_one: bool = False
    resumes: bool = False
    own: type[OwnOptions] | None = None

    @property
    def has_server(self) -> bool:
        """Whether a server of the attempt runs beside the destination's service; it sees the same volumes."""
        return self.ports == "server"

    def count_ports(self, parallelism: int) -> int:
        """On how many data ports a server of the attempt listens; 0 without one."""
        return (1 + (parallelism if self.stream_ports else 0)) if self.has_server else 0

    def takes(self, option: str) -> bool:
        """Whether the tool has this option of TransferOptions."""
        files = FILE_OPTIONS if self.moves == "files" else ()
        return option in (*COMMON_OPTIONS, *files, *self.options) and option not in self.lacks

    def read_own(self, values: Any) -> OwnOptions | None:
        """Its own options, with the defaults of those that are missing. ValueError says what is wrong; pydantic's if fields are."""
        if not isinstance(values, dict | None):
            raise ValueError("write a mapping")
        if self._own_reader is None or self.own is None:
            if values:
                raise ValueError(f"tool {self.name} has no options of its own")
            return None
        names = [item.name for item in fields(self.own)]
        for name in values or {}:
            if name not in names:
                raise ValueError(f"{self.name} has no option `{name}`, only {', '.join(names)}")
        read: OwnOptions = self._own_reader.validate_python(values or {})
        return read

    @cached_property
    def _own_reader(self) -> TypeAdapter[Any] | None:
        return TypeAdapter(self.own) if self.own is not None else None


COMMON_OPTIONS = ("retries", "backoff", "deadline", "stall_timeout", "own", "labels", "metadata", "notify", "require_path")
FILE_OPTIONS = ("recursive", "links", "verify", "algorithm", "expected", "preserve_times")
_ROWS = (
    Tool(
        "gridftp",
        moves="files",
        ports="each file",
        programs=("globus-url-copy",),
        logs_in_at=("source", "destination"),
        options=(
            *("parallelism", "concurrency", "block_size", "tcp_buffer"),
            *("items", "include", "exclude", "sync_level", "on_file_error", "restarts", "pipelining"),
        ),
    ),
    Tool(
        "iperf3",
        moves="memory",
        ports="server",
        programs=("iperf3",),
        server_programs=("iperf3",),
        options=("parallelism", "tcp_buffer", "max_rate"),
        own=Iperf3Options,
    ),
    Tool(
        "nuttcp",
        moves="memory",
        ports="server",
        programs=("nuttcp",),
        server_programs=("nuttcp",),
        stream_ports=True,
        options=("parallelism", "tcp_buffer"),
        own=NuttcpOptions,
    ),
    Tool(
        "rclone",
        moves="files",
        ports="none",
        programs=("rclone", "ssh"),
        logs_in_at=("destination",),
        reads_source=True,
        options=("concurrency", "max_rate", "items", "on_file_error"),
        one_by_one=True,
        own=RcloneOptions,
    ),
    Tool(
        "rdma",
        moves="files",
        ports="server",
        programs=("rcopy", "rdma", "sed"),
        server_programs=("rcopy",),
        reads_source=True,
        lacks=("recursive", "links", "require_path"),  # no counter of an interface shows what verbs send
        rdma=True,
    ),
    Tool(
        "rdma_bw",
        moves="memory",
        ports="server",
        programs=("ib_write_bw",),
        server_programs=("ib_write_bw", "rdma"),
        options=("parallelism",),
        lacks=("stall_timeout", "require_path"),
        rdma=True,
        own=RdmaBwOptions,
    ),
    Tool(
        "rsync",
        moves="files",
        ports="none",
        programs=("rsync", "ssh"),
        server_programs=("rsync",),
        logs_in_at=("destination",),
        reads_source=True,
        options=("max_rate", "items", "on_file_error"),
        one_by_one=True,
        resumes=True,
    ),
    Tool(
        "scp",
        moves="files",
        ports="none",
        programs=("scp", "ssh", "script"),
        logs_in_at=("destination",),
        reads_source=True,
        options=("max_rate", "items", "on_file_error"),
        one_by_one=True,
    ),
    Tool(
        "xrootd",
        moves="files",
        ports="server",
        programs=("xrdcp", "xrdfs", "script"),
        server_programs=("xrootd",),
        reads_source=True,
        options=("parallelism", "concurrency", "scitag"),
    ),
)
TOOLS: Mapping[str, Tool] = {row.name: row for row in _ROWS}
