"""Networks and profiles as the state files declare them: lists, and one of them with all its fields. No endpoint is asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, repository_root
from dtnctl.client.workplace import STATE_FOLDER

if TYPE_CHECKING:
    from dtnctl.model.report import DeclaredRow

NetworkArgument = Annotated[str, typer.Argument(metavar="NETWORK", help="Network.", autocompletion=names.networks)]
ProfileArgument = Annotated[str, typer.Argument(metavar="PROFILE", help="Profile.", autocompletion=names.profiles)]


def networks_list(context: typer.Context, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """All networks as declared: driver, VLAN, MTU, subnet, addresses."""
    return _list(context, output, "networks")


def networks_show(context: typer.Context, name: NetworkArgument, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """One network with all that its file says."""
    return _show(context, output, "networks", name)


def profiles_list(context: typer.Context, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """All profiles as declared: what they extend, image, user, networks."""
    return _list(context, output, "profiles")


def profiles_show(context: typer.Context, name: ProfileArgument, output: opt.ListOutputOption = opt.ListOutput.text) -> int:
    """One profile with all that its file says."""
    return _show(context, output, "profiles", name)


def _list(context: typer.Context, output: opt.ListOutput, kind: str) -> int:
    from dtnctl.render.declared import render_declared
    from dtnctl.render.json import declared_document, render_json

    rows = _rows(context, output, kind)
    if output is opt.ListOutput.json:
        return _print(context, render_json(declared_document(kind, list(rows.values()))))
    wide = list_context(context.ensure_object(Invocation), show_all=output is opt.ListOutput.wide)
    return _print(context, render_declared(kind, list(rows.values()), wide))


def _show(context: typer.Context, output: opt.ListOutput, kind: str, name: str) -> int:
    from dtnctl.cli.look import one_of
    from dtnctl.render.declared import render_one
    from dtnctl.render.json import declared_document, render_json

    row = one_of(kind.removesuffix("s"), name, _rows(context, output, kind))
    if output is opt.ListOutput.json:
        return _print(context, render_json(declared_document(kind, [row])))
    return _print(context, render_one(kind.removesuffix("s"), row, list_context(context.ensure_object(Invocation))))


def _rows(context: typer.Context, output: opt.ListOutput, kind: str) -> Mapping[str, DeclaredRow]:
    from dtnctl.model.report import DeclaredRow
    from dtnctl.repository.load import load_site

    context.ensure_object(Invocation).json = output is opt.ListOutput.json
    documents: Mapping[str, Any] = getattr(load_site(repository_root(), STATE_FOLDER), kind)
    return {
        name: DeclaredRow(name, document.file, document.value.model_dump(mode="json", exclude_unset=True, by_alias=True))
        for name, document in sorted(documents.items())
    }


def _print(context: typer.Context, text: str) -> int:
    sys.stdout.write(text)
    context.ensure_object(Invocation).json = False  # the one document that is owed has been written
    return 0
