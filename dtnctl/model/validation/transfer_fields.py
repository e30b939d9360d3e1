"""Checks fields of one transfer that do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.site import Document
from dtnctl.model.transfer import Transfer
from dtnctl.model.validation.known import Known


def check_fields(known: Known, document: Document[Transfer]) -> None:
    """Reports each at the field that is to be changed."""
    for field, what, hint in (*_expected(document.value), *_folders(document.value)):
        known.report((document, (field,)), "E0337", what, hint)


def _expected(transfer: Transfer) -> Iterator[tuple[str, str, str]]:
    if transfer.expected is None:
        return
    algorithm = transfer.expected.partition(":")[0]
    if transfer.verify != "checksum":
        what = f"`expected` needs the source's checksum, which `verify: {transfer.verify}` does not compute"
        yield "verify", what, "`verify: checksum`, or to remove `expected`"
    if transfer.algorithm not in (None, algorithm):
        what = f"`expected` is a checksum by {algorithm}, and `algorithm` is {transfer.algorithm}"
        yield "algorithm", what, f"`algorithm: {algorithm}`, or to remove it"


def _folders(transfer: Transfer) -> Iterator[tuple[str, str, str]]:
    skips = transfer.on_file_error == "skip"
    used = {"include": transfer.include, "exclude": transfer.exclude, "on_file_error": skips, "pipelining": transfer.pipelining}
    for field in [name for name, value in used.items() if value and not (transfer.recursive or transfer.items)]:
        yield field, f"`{field}` is about the files of a folder, and this transfer copies one file", "`recursive: true`, or to remove it"
    if skips and transfer.verify == "none":
        what = "`on_file_error: skip` needs to know what arrived, and `verify: none` does not look"
        yield "verify", what, "`verify: size`"
    if skips and transfer.pipelining:
        what = "after a file that fails, globus-url-copy loses those that it has asked for already, which `on_file_error: skip` would copy"
        yield "pipelining", what, "to remove one of the two"
    if transfer.restarts and transfer.verify == "none":
        what = "`restarts` joins a file of parts that were read at different times, and `verify: none` would not see that they do not fit"
        yield "verify", what, "`verify: size`"
