"""Checks fields of one transfer that do not go together."""

from __future__ import annotations

from dtnctl.model.site import Document, Transfer
from dtnctl.model.validation.known import Known


def check_fields(known: Known, document: Document[Transfer]) -> None:
    """Reports each at the field that is to be changed."""
    transfer = document.value
    if transfer.expected is None:
        return
    algorithm = transfer.expected.partition(":")[0]
    if transfer.verify != "checksum":
        what = f"`expected` needs the source's checksum, which `verify: {transfer.verify}` does not compute"
        known.report((document, ("verify",)), "E0337", what, "`verify: checksum`, or to remove `expected`")
    if transfer.algorithm not in (None, algorithm):
        what = f"`expected` is a checksum by {algorithm}, and `algorithm` is {transfer.algorithm}"
        known.report((document, ("algorithm",)), "E0337", what, f"`algorithm: {algorithm}`, or to remove it")
