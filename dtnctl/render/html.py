"""HTML that is escaped unless it was made here: text of others stays text, in elements and in attributes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias
from urllib.parse import quote, urlencode

from dtnctl.printable import printable_text

EMPTY = frozenset(("br", "input", "link", "meta"))  # elements without content and without an end
LOCAL = "/"


class Html(str):
    """Markup that may stand in a page as it is. Only this module makes it; all other text is escaped where it is put in."""

    __slots__ = ()


Child: TypeAlias = "Html | str | int | Iterable[Child] | None"
Attribute: TypeAlias = str | int | bool | None


def element(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """One element. In names of attributes `_` is a hyphen, and one at the end is dropped (`class_`).

    True is an attribute without a value; False, None and a class without names are left out.
    """
    start = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in EMPTY:
        return Html(f"<{name}{start}>")
    return Html(f"<{name}{start}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """The children one after the other; what is no markup is made printable and escaped."""
    return Html("".join(_text(child) for child in children))


def on_lines(texts: Iterable[Child]) -> Html:
    """The texts on lines of their own, for an element that keeps lines."""
    return Html("".join(f"{joined(text)}\n" for text in texts))


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return escape(printable_text(str(child)), quote=True)
    return joined(*child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False or (name == "class" and value == ""):
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(printable_text(str(value)), quote=True)}"'


def address(*parts: str, **query: str | int) -> str:
    """A path of this server, `/sessions/a%2Fb?page=2`: nothing in a part leads to another path or host. Empty values are left out."""
    path = LOCAL + "/".join(quote(part, safe="") for part in parts)
    asked = {name: value for name, value in query.items() if value not in ("", 0)}
    return f"{path}?{urlencode(asked)}" if asked else path


def trusted(markup: str) -> Html:
    """Markup that another renderer of ours has escaped already, such as a picture."""
    return Html(markup)
