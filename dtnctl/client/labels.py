"""`--label`: which part of the site a command is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dtnctl.client.workplace import Workplace
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.planning.planner import Scope
    from dtnctl.planning.selection import Selection


def with_label(scope: Scope, selector: str) -> Scope:
    """The scope with what `--label` asks for. UsageError for a text that selects no labels."""
    return replace(scope, label=checked(selector))


def checked(selector: str) -> str:
    """The selector as it was typed; one of blanks, such as a variable that is set to nothing, is none and selects all."""
    from dtnctl.model.labels import SelectorError, parse_selector

    text = selector.strip()
    try:
        if text:
            parse_selector(text)
    except SelectorError as error:
        raise UsageError(f"--label {error}") from None
    return text


def selected(workplace: Workplace, scope: Scope) -> tuple[Workplace, Scope]:
    """The two of a command that is about a part of the site. UsageError if nothing has the labels."""
    selection = selection_of(workplace, scope.label, destroy=scope.destroy)
    if selection is None:
        return workplace, scope
    return replace(workplace, near=selection.within(workplace.site)), replace(scope, selection=selection)


def selection_of(workplace: Workplace, selector: str, *, destroy: bool = False) -> Selection | None:
    """What it means in the site, None if there is none. UsageError if nothing has the labels, or if it is mistyped."""
    if not selector:
        return None
    from dtnctl.planning.selection import label_mistake, select
    from dtnctl.runtime.clock import SystemClock

    site = workplace.site
    selection = select(site, selector, SystemClock().now())
    if mistake := label_mistake(site, selection, destroy=destroy):
        raise UsageError(mistake)
    return selection
