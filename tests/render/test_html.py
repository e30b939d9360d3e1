"""Text of others stays text in a page, in elements and in attributes."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.printable import printable_text
from dtnctl.render.html import address, element, joined, on_lines

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='x",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x00b",
]


class Seen(HTMLParser):
    """What a browser would take from the markup: elements with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    seen = Seen(element("p", text, title=text))
    assert seen.elements == [("p", {"title": printable_text(text)})]
    assert seen.text == printable_text(text)


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    seen = Seen(element("td", text, data_key=text))
    assert (seen.elements, seen.text) == ([("td", {"data-key": printable_text(text)})], printable_text(text))


def test_markup_of_ours_is_not_escaped_again() -> None:
    assert element("p", element("b", "a < b"), " and ", ["more", None, 7]) == "<p><b>a &lt; b</b> and more7</p>"


def test_attributes_have_hyphens_and_values_or_are_left_out() -> None:
    made = element("input", type="search", aria_label="x", class_="", hidden=False, required=True, value=None, tabindex=0)
    assert made == '<input type="search" aria-label="x" required tabindex="0">'


def test_nothing_in_a_part_of_an_address_leads_to_another_path_or_host() -> None:
    assert address("sessions", "a/../b?c#d") == "/sessions/a%2F..%2Fb%3Fc%23d"
    assert address("/evil.example.net") == "/%2Fevil.example.net"
    assert address("sessions", filter="a&b=c", state="", page=0) == "/sessions?filter=a%26b%3Dc"


def test_lines_keep_their_ends() -> None:
    assert on_lines(["a<b", "c\nd"]) == "a&lt;b\nc\\nd\n"
    assert joined() == ""
