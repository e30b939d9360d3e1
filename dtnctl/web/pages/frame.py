"""What all pages have: the head with the look's age, the pages to go to, what is wrong as a whole, the keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dtnctl.printable import plural
from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.web.pages.words import ago, stamp
from dtnctl.web.view import View

PAGES = {
    "overview": "Overview",
    "endpoints": "Endpoints",
    "sessions": "Sessions",
    "transfers": "Transfers",
    "plan": "Plan",
    "networks": "Networks",
    "history": "History",
}
KEYS = {
    "/": "filter the list",
    "j": "next row",
    "k": "previous row",
    "Enter": "open the row",
    "n": "next page of a list",
    "p": "previous page of a list",
    "t": "colours: as the system has them, light, dark",
    "?": "this help",
    "Esc": "leave the filter, close this help",
}
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is that of the entry of PAGES which it belongs to. `curve`: it has one, so the library for it is loaded."""

    name: str
    title: str
    body: Html
    curve: bool = False
    reload: int = 0


def render_page(page: Page, view: View, now: datetime) -> str:
    """The whole document, as it is `now`."""
    title = f"{page.title} · {view.site.name} · dtnctl"
    head = element("head", *_head_of(page), element("title", title))
    body = element(
        "body",
        element("a", "Skip to content", href="#main", class_="skip"),
        _header(page, view, now),
        element("p", id="lost", class_="trouble", role="alert"),
        element("main", element("h1", page.title), _troubles(view), page.body, id="main", tabindex=-1),
        _footer(),
        _keys(),
        element("p", role="status", id="news", class_="for-readers"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en', data_now=stamp(now))}\n"


def _head_of(page: Page) -> list[Html]:
    curve = [element("link", rel="stylesheet", href="/static/uplot.css"), element("script", src="/static/uplot.js")] if page.curve else []
    return [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        *([element("meta", http_equiv="refresh", content=page.reload)] if page.reload else []),
        element("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        *curve,
        element("link", rel="stylesheet", href="/static/pictures.css"),
        element("link", rel="stylesheet", href="/static/page.css"),
        element("script", src="/static/page.js"),
    ]


def _header(page: Page, view: View, now: datetime) -> Html:
    links = [
        element("li", element("a", title, href=_address_of(name), aria_current="page" if name == page.name else None))
        for name, title in PAGES.items()
    ]
    return element(
        "header",
        element("p", element("strong", view.site.name), " ", element("span", view.head.text, class_="dim"), class_="site"),
        element("p", pulse(view, now), class_="pulse", data_part="pulse"),
        element("button", "Colours", type="button", id="theme", hidden=True),
        element("button", "Keys", type="button", id="help", hidden=True),
        element("nav", element("ul", links), aria_label="Pages"),
    )


def _address_of(name: str) -> str:
    return "/" if name == "overview" else address(name)


def pulse(view: View, now: datetime) -> Html:
    """How old what is shown is, and how much of it is known."""
    if view.number == 0:
        return joined("The first look is under way")
    answered = sum(row.state == "answered" for row in view.endpoints)
    words = f"{answered:,} of {plural(len(view.endpoints), 'endpoint')} answered"
    return joined("Looked ", ago(view.now, now), " · ", element("span", words, id="answered"))


def _troubles(view: View) -> Html:
    """What is wrong with all that is shown: the files as they are now, the look as a whole. A replaced part, also while it is empty."""
    items: list[Child] = [element("p", f"The last look failed: {view.trouble}. It is tried again.")] * bool(view.trouble)
    if view.problems:
        shown = [element("li", str(problem)) for problem in view.problems[:MOST_PROBLEMS]]
        left = len(view.problems) - len(shown)
        more = [element("li", f"and {left:,} more; `dtnctl validate` lists them")] * (left > 0)
        items += [
            element("p", f"The state files have {plural(len(view.problems), 'problem')}; the site is shown as it was declared before:"),
            element("ul", shown, more),
        ]
    return element("div", element("div", items, class_="trouble", role="alert") if items else None, data_part="trouble")


def _footer() -> Html:
    return element("footer", element("p", "This page only shows. What changes endpoints is ", element("code", "dtnctl apply"), "."))


def _keys() -> Html:
    rows: Mapping[str, str] = KEYS
    entries = [element("div", element("dt", element("kbd", key)), element("dd", words)) for key, words in rows.items()]
    close = element("form", element("button", "Close"), method="dialog")
    return element(
        "dialog",
        element("h2", "Keys", id="keys-title"),
        element("dl", entries, class_="facts"),
        close,
        id="keys",
        aria_labelledby="keys-title",
    )
