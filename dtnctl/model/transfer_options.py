"""How a transfer is carried out: one value from the file to the plan and the mover, with its defaults. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dtnctl.model.checksums import AlgorithmChoice
from dtnctl.model.notification import Notification
from dtnctl.model.scitags import Scitag
from dtnctl.model.tools import OwnOptions
from dtnctl.model.transfer_about import Passed
from dtnctl.model.transfer_items import Item

Links = Literal["refuse", "follow", "omit"]
OnFileError = Literal["fail", "skip"]
SyncLevel = Literal["exists", "size", "mtime", "checksum"]
SYNC_LEVELS: tuple[SyncLevel, ...] = ("exists", "size", "mtime", "checksum")  # Globus and globus-url-copy number them from 0
Verify = Literal["none", "size", "checksum"]


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """The options as a transfer's file has them. Sizes in bytes, times in seconds, `max_rate` in kbit/s.

    `expected` is the checksum that the source must have, `ALGORITHM:VALUE`; its algorithm is then `algorithm`.
    `include` and `exclude` are patterns of names below the folder. `own` are the options that its tool alone has.
    `items` are what of the folders is copied, and to which names; then `recursive` is set.
    `require_path`: without the proof that a path between sites carried its bytes it has failed.
    `labels` and `metadata` are passed on to records as they are.
    """

    parallelism: int = 4
    concurrency: int = 1
    recursive: bool = False
    links: Links = "refuse"
    verify: Verify = "checksum"
    algorithm: AlgorithmChoice = "measured"
    block_size: int | None = None
    tcp_buffer: int | None = None
    retries: int = 0
    backoff: float = 5.0
    deadline: float | None = None
    stall_timeout: float = 600.0
    expected: str | None = None
    own: OwnOptions | None = None
    sync_level: SyncLevel | None = None
    preserve_times: bool = False
    on_file_error: OnFileError = "fail"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    labels: Passed = ()
    metadata: Passed = ()
    restarts: int = 0
    pipelining: bool = False
    max_rate: int | None = None
    notify: Notification | None = None
    scitag: Scitag | None = None
    items: tuple[Item, ...] = ()
    require_path: bool = False


DEFAULT_OPTIONS = TransferOptions()
