"""What people write about one transfer: state/transfers/NAME.yaml."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PrivateAttr, ValidationInfo, WithJsonSchema, field_validator, model_validator

from dtnctl.model.checksums import AlgorithmChoice, Expected
from dtnctl.model.declared_tools import DeclaredTool, end_problem, row_of
from dtnctl.model.fields import Duration, Rate, Size
from dtnctl.model.notification import Notify
from dtnctl.model.schedule import When
from dtnctl.model.scitags import WrittenScitag
from dtnctl.model.tool_files import AnyTool
from dtnctl.model.tools import TOOLS, OwnOptions, Tool
from dtnctl.model.transfer_about import FreePairs
from dtnctl.model.transfer_fields import Patterns, SyncLevel
from dtnctl.model.transfer_items import Item, Items, read_item
from dtnctl.model.transfer_options import DEFAULT_OPTIONS, Links, OnFileError, TransferOptions, Verify
from dtnctl.model.transfer_order import USUAL, After, Bandwidth, Priority
from dtnctl.model.written import Written

END = r"^[A-Za-z0-9][A-Za-z0-9_-]*(:/.*)?$"


class Transfer(Written):
    """A one-shot job: started once per generation, never again by itself."""

    from_: str = Field(
        alias="from",
        pattern=END,
        description="`ENDPOINT:/path`; a path that ends in / is a folder. `ENDPOINT` alone for tools that measure from memory to memory.",
    )
    to: str = Field(pattern=END, description="`ENDPOINT:/path`, or `ENDPOINT`.")
    tool: AnyTool = Field(description="The mover.")
    options: Annotated[Any, WithJsonSchema({"$comment": "mapping", "type": ["object", "null"]})] = Field(
        None, description="Options that the tool alone has: [tools and their options](#tools-and-their-options)."
    )
    session: str | None = Field(None, description="Session whose services carry it. Missing: the one suitable session.")
    generation: int = Field(1, ge=1, description="Raise it to run again.")
    after: After = ()
    priority: Priority = USUAL
    bandwidth: Bandwidth = None
    when: When | None = Field(None, description="When it may start. Missing: at once.")
    suspend: bool = Field(False, description="It is not started while it is set; a copy that runs goes on, and is recorded afterwards.")
    parallelism: int = Field(DEFAULT_OPTIONS.parallelism, ge=1, le=64, description="TCP streams per file.")
    concurrency: int = Field(DEFAULT_OPTIONS.concurrency, ge=1, le=64, description="Files at once.")
    recursive: bool = Field(DEFAULT_OPTIONS.recursive, description="Copy a folder with all below it.")
    links: Links = Field(
        DEFAULT_OPTIONS.links,
        description="Symbolic links in a folder: the transfer is refused before it starts, copies what they lead to, or leaves them out.",
    )
    include: Patterns = Field(
        (),
        description="Which names below the folder are copied: patterns such as `2026/*.nc`, `calib` (a folder with all below it), "
        "`**/*.h5`. Missing: all.",
    )
    exclude: Patterns = Field((), description="Which of them are not.")
    items: Items = Field(
        (),
        description="Several files, folders and patterns of the two folders `from` and `to`, each with a `to` of its own where its name "
        "changes. The first one that covers a file counts.",
    )
    sync_level: SyncLevel | None = Field(
        None,
        description="What is there already is left as it is: `exists` whatever it is, `size` if it has the source's size, `mtime` if it is "
        "also no older, `checksum` if it also has the source's checksum (0 to 3 in Globus). Missing: all is copied.",
    )
    preserve_times: bool = Field(False, description="Files get the source's times of change.")
    on_file_error: OnFileError = Field(
        DEFAULT_OPTIONS.on_file_error,
        description="skip: the other files of a folder are copied though one fails, and the transfer ends as `partial`, with the list.",
    )
    verify: Verify = Field(DEFAULT_OPTIONS.verify, description="Evidence asked for before it counts as done.")
    algorithm: AlgorithmChoice | None = Field(
        None,
        description="Checksum of `verify: checksum`; computed at both ends. measured: md5, from 1 GiB on sha256 where both compute that "
        "faster. auto: md5, from 1 GiB on crc32c or adler32 if both images can. Missing: that of `expected`, else measured.",
    )
    expected: Expected | None = Field(
        None,
        description="`ALGORITHM:VALUE`, the checksum that the source must have; for a folder as its receipt's `checksum`. Compared "
        "after the copy, and no retry follows where it differs.",
    )
    pipelining: bool = Field(
        DEFAULT_OPTIONS.pipelining, description="Ask for the next small files of a folder before the last one has ended."
    )
    max_rate: Rate | None = Field(None, description="Highest rate of the whole transfer, such as `500mbit`.")
    block_size: Size | None = Field(None, description="Bytes per disk block.")
    tcp_buffer: Size | None = Field(None, description="TCP buffer per stream.")
    retries: int = Field(DEFAULT_OPTIONS.retries, ge=0, le=20, description="Further tries after a failure that may pass by itself.")
    backoff: Duration = Field(DEFAULT_OPTIONS.backoff, description="Pause before the first retry; doubles with each.")
    restarts: int = Field(
        DEFAULT_OPTIONS.restarts,
        ge=0,
        le=100,
        description="How often the tool goes on where a connection broke, within one try; `backoff` is the pause before each.",
    )
    deadline: Duration | None = Field(None, description="Longest time for all tries together.")
    stall_timeout: Duration = Field(DEFAULT_OPTIONS.stall_timeout, description="Without progress for so long, the try counts as failed.")

    require_path: bool = Field(
        DEFAULT_OPTIONS.require_path,
        description="The [path](paths.md#was-it-used) that joins its ends must carry its bytes; else it is refused, or has failed.",
    )
    labels: FreePairs = Field(default_factory=dict, description="Free pairs, in its record and in JSON: `{experiment: atlas}`.")
    metadata: FreePairs = Field(default_factory=dict, description="The same, for programs that read records. dtnctl reads neither.")
    scitag: WrittenScitag | None = Field(None, description="Marks the flows of the transfer. Missing: they are not marked.")
    notify: Notify | None = Field(None, description="Webhook that is posted to once when it has come to its end.")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    _declared: DeclaredTool | None = PrivateAttr(None)

    @cached_property
    def tool_row(self) -> Tool:
        """The row of its tool. KeyError for one that validation has reported as unknown."""
        return row_of(self.tool, self._declared or self.options)

    def by_tool(self, declared: DeclaredTool) -> Transfer:
        """The transfer, by this tool of the site's own."""
        bound = self.model_copy()
        bound.__dict__.pop("tool_row", None)
        bound._declared = declared
        return bound

    @property
    def settings(self) -> TransferOptions:
        """How it is carried out, as plans and movers take it."""
        values = {item.name: getattr(self, item.name) for item in fields(TransferOptions) if item.name != "own"}
        values |= {name: tuple(sorted(values[name].items())) for name in ("labels", "metadata")}
        values["scitag"] = self.scitag.value if self.scitag is not None else None
        values["notify"] = self.notify.value if self.notify is not None else None
        values |= {"items": self.pairs, "recursive": self.recursive or bool(self.items)}
        expected = self.expected.partition(":")[0] if self.expected else DEFAULT_OPTIONS.algorithm
        return TransferOptions(**{**values, "algorithm": self.algorithm or expected}, own=self._declared or self.options)

    @property
    def pairs(self) -> tuple[Item, ...]:
        """Its items as plans have them; those that are wrong, which validation reports, are left out."""
        read = (self.read_item(index) for index in range(len(self.items)))
        return tuple(item for item in read if isinstance(item, Item))

    def read_item(self, index: int) -> Item | str:
        """One of its items, or what is wrong with it."""
        try:
            return read_item(self.items[index], *(end.partition(":")[2] for end in (self.from_, self.to)))
        except ValueError as error:
            return str(error)

    @field_validator("options")
    @classmethod
    def _options_fit_the_tool(cls, value: Any, info: ValidationInfo) -> OwnOptions | None:
        row = TOOLS.get(info.data.get("tool", ""))
        return row.read_own(value) if row is not None else None

    @model_validator(mode="after")
    def _ends_fit_the_tool(self) -> Transfer:
        row = TOOLS.get(self.tool)
        for end in (self.from_, self.to):
            if row is not None and (problem := end_problem(row, end)):
                raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _folders_are_recursive(self) -> Transfer:
        folders = (self.from_.endswith("/"), self.to.endswith("/"))
        if self.items and folders == (True, True):
            return self
        if self.items:
            raise ValueError("`items` are names below two folders: `from` and `to` both end in /")
        if self.recursive and folders != (True, True):
            raise ValueError("a recursive transfer copies a folder into a folder: both paths end in /")
        if folders[0] and not self.recursive:
            raise ValueError("the source is a folder; add `recursive: true`")
        return self
