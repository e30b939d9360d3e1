"""`dtnctl tools`: what transfers may name as `tool:`, dtnctl's own and those that the site declares. No endpoint is asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, repository_root
from dtnctl.client.workplace import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtnctl.render.tools import ToolRow

ToolArgument = Annotated[str, typer.Argument(metavar="TOOL", help="Tool.", autocompletion=names.tools)]


def tools_list(context: typer.Context, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """All tools: what they move, which ports, programs and options they have, and where they are declared."""
    from dtnctl.render.json import render_json
    from dtnctl.render.tools import render_tools, tools_document

    rows = list(_rows(context, output).values())
    if output is opt.ListOutput.json:
        return _print(context, render_json(tools_document(rows)))
    wide = list_context(context.ensure_object(Invocation), show_all=output is opt.ListOutput.wide)
    return _print(context, render_tools(rows, wide))


def tools_show(context: typer.Context, name: ToolArgument, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """One tool in full."""
    from dtnctl.cli.look import one_of
    from dtnctl.render.json import render_json
    from dtnctl.render.tools import render_tool, tools_document

    row = one_of("tool", name, _rows(context, output))
    if output is opt.ListOutput.json:
        return _print(context, render_json(tools_document([row])))
    return _print(context, render_tool(row, list_context(context.ensure_object(Invocation))))


def _rows(context: typer.Context, output: opt.ListOutput) -> Mapping[str, ToolRow]:
    """By name, in its order."""
    from dtnctl.model.tools import TOOLS
    from dtnctl.render.tools import tool_row
    from dtnctl.repository.load import load_site

    context.ensure_object(Invocation).json = output is opt.ListOutput.json
    declared = load_site(repository_root(), STATE_FOLDER).tools
    rows = [tool_row(tool) for tool in TOOLS.values()]
    rows += [tool_row(document.value.declared(name).row, document.file) for name, document in declared.items()]
    return {row.name: row for row in sorted(rows, key=lambda row: row.name)}


def _print(context: typer.Context, text: str) -> int:
    sys.stdout.write(text)
    context.ensure_object(Invocation).json = False  # the one document that is owed has been written
    return 0
