"""Says what no tool that copies files can copy, before anything is made. Pure."""

from __future__ import annotations

from dtnctl.movers.base import JobRequest, Listing


def refuse_source(request: JobRequest, before: Listing) -> str:
    """Why what is at the source cannot be copied, as a sentence; empty if it can. `before` is what is there."""
    source, recursive = request.source, request.options.recursive
    for end in (source, request.destination):
        if ".." in end.path.split("/"):
            return f"{end.path} leads out of its folder; write the path without .."
    if before.kind == "unknown":
        return f"{source.path} cannot be looked at on {source.endpoint}: {before.problem}"
    if before.kind == "missing":
        return f"{source.path} does not exist on {source.endpoint}, or {source.user} may not look there"
    what = f"{source.path} on {source.endpoint} is"
    if before.kind == "other":
        return f"{what} neither file nor folder"
    if before.kind == "folder" and not recursive:
        return f"{what} a folder, and this transfer copies a file; to copy the folder, end both paths in / and add `recursive: true`"
    if before.kind == "file" and recursive:
        return f"{what} a file, and this transfer copies a folder; to copy the file, remove `recursive: true` and the / at the path's end"
    return ""


def refuse_omitted_links(tool: str, request: JobRequest) -> str:
    """For tools that copy what links lead to, whatever they are asked."""
    if request.options.recursive and request.options.links == "omit":
        return f"{tool} copies what links lead to and cannot omit them; write `links: follow`, or another `tool:`"
    return ""
