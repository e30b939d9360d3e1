"""The audit as Markdown and as one HTML page: everything is in both, and no text of a host is more than text there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from html.parser import HTMLParser
from typing import Literal

import cmarkgfm
import pytest
from axe_playwright_python.sync_playwright import Axe
from cmarkgfm.cmark import Options
from playwright.sync_api import sync_playwright

from dtnctl.model.audit import Audit
from dtnctl.model.findings import Finding
from dtnctl.render.audit_html import render_audit_html
from dtnctl.render.audit_markdown import render_audit_markdown
from dtnctl.render.context import RenderContext
from tests.render.audits import APART, AUDIT, FILES, ONE, UNTRIED, WARNED

CONTEXT = RenderContext(version="0.1.0")
ALL = RenderContext(show_all=True)
FACTS = (
    "net.rmem_max",
    "sysctl -w net.core.rmem_max=2147483647",
    "10.9.0.1/24",
    "packets of more than 1500 bytes",
    "docker: ssh://root@dtn1",
)
VOID = ("meta",)
HOSTILE = '"><script>alert(1)</script>@everyone [x](javascript:y) | `'


def markdown(audit: Audit, context: RenderContext = CONTEXT) -> str:
    return render_audit_markdown(audit, FILES, context)


def html(audit: Audit, context: RenderContext = CONTEXT) -> str:
    return render_audit_html(audit, FILES, context)


def as_github_shows(text: str) -> str:
    return str(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))


class Page(HTMLParser):
    """The elements of a page, with the text in them; every element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile() -> Audit:
    """A host that writes markup wherever it may."""
    (host,) = ONE.hosts
    (nic,) = host.carried
    finding = Finding("nic.qdisc", "warning", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    examination = replace(host.examination, endpoint=HOSTILE, findings=(finding,))
    odd = replace(host, examination=examination, address=HOSTILE, carried=(replace(nic, interface=HOSTILE),), unseen=(HOSTILE,))
    return replace(ONE, hosts=(odd,))


def test_page_is_one_file_that_loads_and_runs_nothing() -> None:
    page = Page(html(AUDIT))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert [attributes for tag, attributes in page.elements if tag == "meta" and "default-src 'none'" in (attributes.get("content") or "")]
    assert all(fact in page.text for fact in FACTS)
    assert "1 error, 1 warning of 69 checked" in page.text
    assert [attributes["lang"] for tag, attributes in page.elements if tag == "html"] == ["en"]


def test_text_of_a_host_is_no_markup_on_the_page() -> None:
    page = Page(render_audit_html(hostile(), ((HOSTILE, HOSTILE),), CONTEXT))
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) > 7
    assert {attributes.get("href", "")[:8] for tag, attributes in page.elements if tag == "a"} == {"https://"}  # type: ignore[index]  # never None


def test_markdown_says_the_same_and_is_what_the_forge_shows() -> None:
    shown = Page(f"<div>{as_github_shows(markdown(AUDIT))}</div>".replace("<br />", ""))
    assert all(fact in shown.text for fact in FACTS)
    assert [tag for tag, _ in shown.elements].count("table") == 2
    assert "ens1f0 to ens1f0" in shown.text


def test_text_of_a_host_is_no_markup_for_the_forge() -> None:
    text = render_audit_markdown(hostile(), (("x.yaml", "```\n# <b>"),), CONTEXT)
    shown = Page(f"<div>{as_github_shows(text)}</div>".replace("<br />", ""))
    assert not {"script", "b"} & {tag for tag, _ in shown.elements}
    assert {attributes.get("href", "")[:8] for tag, attributes in shown.elements if tag == "a"} == {"https://"}  # type: ignore[index]  # never None


@pytest.mark.parametrize("render", [markdown, html])
def test_what_was_not_tried_and_what_is_right_are_said_where_they_are_asked_for(render: object) -> None:
    assert callable(render)
    assert "it may not" in render(UNTRIED)
    assert "dtn1" in render(APART)
    assert "packets of more than" not in render(APART)
    assert "nothing wrong" in render(ONE)
    assert "nic.duplex" not in render(ONE)
    assert "nic.duplex" in render(ONE, ALL)
    assert "warning" in render(WARNED)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium on this machine (Debian: chromium)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_no_fault_that_axe_finds(scheme: Literal["light", "dark"]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()  # axe is a script, and the page allows none
        page.set_content(html(AUDIT, ALL))
        found = Axe().run(page)
        browser.close()
    assert found.violations_count == 0, found.generate_report()
