"""Gives each transfer the tool of the site's own that it names, before anything asks what it is carried out by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dtnctl.model.site import Document
from dtnctl.model.tool_files import ToolFile
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer import Transfer


def by_declared_tools(
    transfers: Mapping[str, Document[Transfer]], tools: Mapping[str, Document[ToolFile]]
) -> dict[str, Document[Transfer]]:
    """The transfers, each with the site's own tool that it names."""
    bound = dict(transfers)
    for name, document in transfers.items():
        tool = document.value.tool
        if tool in tools and tool not in TOOLS:
            bound[name] = replace(document, value=document.value.by_tool(tools[tool].value.declared(tool)))
    return bound
