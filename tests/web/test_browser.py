"""The pages in a real browser: keys, the filter, new looks, colours, and what axe-core finds for people who do not use a mouse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dtnctl.model.resources import EndpointSeen
from dtnctl.runtime.clock import SystemClock
from tests.cli.small_site import run, two_engines
from tests.web.browser import NARROW, chromium, opened, violations
from tests.web.scenes import NOW, fleet, scinet
from tests.web.serving import Served, served, served_view

ALL = (
    *("", "endpoints", "endpoints/starlight-dtn", "endpoints/surf-dtn-ppc", "sessions", "sessions/climate", "transfers"),
    *("transfers/sc20-1T", "plan", "plan?commit=none", "networks", "history", "nothing"),
)


class Standing(SystemClock):
    """The time at which the scenes were seen."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def talk() -> Iterator[Served]:
    """The site of the talk."""
    with served_view(scinet(), Standing()) as found:
        yield found


@pytest.fixture(scope="module")
def many() -> Iterator[Served]:
    """A hundred endpoints and a thousand sessions."""
    with served_view(fleet(), Standing()) as found:
        yield found


@pytest.mark.parametrize("path", ALL)
def test_axe_finds_nothing_and_a_phone_scrolls_sideways_in_tables_alone(browser: Browser, talk: Served, path: str) -> None:
    with opened(browser, f"{talk.url}/{path}", may_fail=path == "nothing") as page:
        assert violations(page) == []
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.emulate_media(color_scheme="dark")
        assert violations(page) == [], "with the help open, dark"
        page.keyboard.press("Escape")
        page.set_viewport_size(NARROW)
        assert violations(page) == [], "dark, narrow"
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


OVERTAKEN = """async () => {
  const ask = window.fetch;
  window.fetch = async (place, options) => {
    window.fetch = ask;
    const answer = await ask(place, options);
    answer.text = () => new Promise((_, fail) => {
      options.signal.addEventListener("abort", () => fail(options.signal.reason));
      renew();
    });
    return answer;
  };
  await renew();
}"""


def test_a_look_that_a_newer_one_overtakes_in_the_middle_of_its_answer_is_no_error(browser: Browser, talk: Served) -> None:
    with opened(browser, talk.url + "/") as page:
        page.evaluate(OVERTAKEN)


def test_the_first_key_leads_past_the_navigation(browser: Browser, talk: Served) -> None:
    with opened(browser, talk.url + "/") as page:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to content")
        page.keyboard.press("Enter")
        expect(page.locator("main:focus")).to_have_count(1)


def test_rows_are_walked_by_keys_and_opened_by_enter(browser: Browser, talk: Served) -> None:
    with opened(browser, f"{talk.url}/endpoints") as page:
        page.keyboard.press("j")
        expect(page.locator(":focus")).to_have_text("surf-dtn-ppc")
        page.keyboard.press("j")
        expect(page.locator(":focus")).to_have_text("starlight-dtn")
        assert page.locator(":focus").evaluate("item => getComputedStyle(item).outlineStyle") == "solid"
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(page.locator(":focus")).to_have_text("surf-dtn-ppc")
        page.keyboard.press("Enter")
        page.wait_for_url("**/endpoints/surf-dtn-ppc")
        expect(page.get_by_text("connection refused").first).to_be_visible()


def test_help_opens_by_a_key_and_closes_by_another(browser: Browser, talk: Served) -> None:
    with opened(browser, talk.url + "/") as page:
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_colours_are_the_system_s_until_someone_chooses_and_stay_chosen(browser: Browser, talk: Served) -> None:
    with opened(browser, talk.url + "/", dark=True) as page:
        assert _lightness(page) < 60
        page.get_by_role("button", name="Colours: system").click()
        assert _lightness(page) > 200
        page.reload()
        expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
        assert _lightness(page) > 200
        page.keyboard.press("t")
        assert _lightness(page) < 60


def _lightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_a_thousand_sessions_are_a_hundred_rows_and_the_filter_asks_the_server(browser: Browser, many: Served) -> None:
    with opened(browser, f"{many.url}/sessions") as page:
        rows = page.locator("main tbody tr[data-key]")
        assert rows.count() == 100
        assert page.evaluate("document.querySelectorAll('*').length") < 2500
        page.keyboard.press("/")
        page.keyboard.type("s0123")
        expect(rows).to_have_count(1)
        expect(page.get_by_text("1–1 of 1 found of 1,000 sessions")).to_be_visible()
        assert page.url.endswith("/sessions?filter=s0123")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.locator(":focus")).to_have_text("s0123")


def test_pages_of_a_list_are_turned_by_keys(browser: Browser, many: Served) -> None:
    with opened(browser, f"{many.url}/sessions") as page:
        page.keyboard.press("n")
        expect(page.get_by_text("101–200 of 1,000 sessions")).to_be_visible()
        page.keyboard.press("p")
        expect(page.get_by_text("1–100 of 1,000 sessions")).to_be_visible()


def test_a_hundred_endpoints_are_shown_at_once(browser: Browser, many: Served) -> None:
    with opened(browser, f"{many.url}/endpoints") as page:
        assert page.locator("main tbody tr[data-key]").count() == 100
        assert page.locator("main tbody tr[data-key]").first.inner_text().startswith("dtn000\t✖ silent")


def test_without_a_script_everything_is_there_and_forms_work(browser: Browser, many: Served) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{many.url}/sessions")
    page.get_by_label("Filter sessions").fill("s0777")
    page.get_by_role("button", name="Filter", exact=True).click()
    assert page.get_by_role("link", name="s0777").is_visible()
    assert page.get_by_role("button", name="Keys").count() == 0, "what needs the script is not offered"
    context.close()


# --- a site that lives --------------------------------------------------------------------------------------


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Served, Path]]:
    """Session s on the engines a and b, not applied yet."""
    with two_engines(tmp_path), served(tmp_path) as found:
        yield found, tmp_path


def test_a_new_look_changes_the_page_and_leaves_the_focus(browser: Browser, live: tuple[Served, Path]) -> None:
    pages, root = live
    with opened(browser, f"{pages.url}/sessions") as page:
        expect(page.locator("main tbody tr[data-key]")).to_contain_text("ABSENT")
        page.keyboard.press("j")
        assert run(root, "apply", "--yes").returncode == 0
        expect(page.locator("main tbody tr[data-key]")).to_contain_text("STARTED")
        expect(page.locator(":focus")).to_have_text("s")


def test_an_endpoint_that_goes_silent_is_said_to_those_who_listen(browser: Browser, tmp_path: Path) -> None:
    with two_engines(tmp_path) as world, served(tmp_path) as pages, opened(browser, f"{pages.url}/endpoints") as page:
        expect(page.get_by_text("2 of 2 endpoints answered").first).to_be_visible()
        world.set_mode("b", "absent")
        expect(page.locator("tr[data-key=b]")).to_contain_text("silent")
        expect(page.locator("#news")).to_have_text("1 of 2 endpoints answered")
        assert page.locator("main tbody tr[data-key]").first.get_attribute("data-key") == "b"
        expect(page.locator("tr[data-key=a]")).to_contain_text("answered")


def test_a_plan_is_unfolded_where_it_was_after_the_next_look(browser: Browser, live: tuple[Served, Path]) -> None:
    pages, _ = live
    with opened(browser, f"{pages.url}/plan") as page:
        change = page.locator("details", has_text="session/s").first
        expect(change.locator("table")).to_be_visible()
        change.locator("summary").click()
        number = pages.watch.newest().number
        while page.evaluate("number") <= number:
            page.wait_for_timeout(50)
        expect(change.locator("table")).to_be_hidden()
        expect(page.get_by_text("dtnctl apply --expect")).to_be_visible()


def test_a_server_that_ends_is_said_until_it_is_there_again(browser: Browser, tmp_path: Path) -> None:
    with two_engines(tmp_path) as world, served(tmp_path) as pages, opened(browser, f"{pages.url}/endpoints", may_fail=True) as page:
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.get_by_text("2 of 2 endpoints answered").first).to_be_visible()
        pages.end()
        expect(page.get_by_role("alert")).to_contain_text("The server of this page does not answer")
        assert violations(page) == []
        world.set_mode("b", "absent")
        with served(tmp_path, port=pages.port):
            expect(page.locator("#lost")).to_be_hidden()
            expect(page.locator("tr[data-key=b]")).to_contain_text("silent")


def test_a_page_of_what_is_removed_says_so_and_is_there_again_when_it_is(browser: Browser, live: tuple[Served, Path]) -> None:
    pages, root = live
    file = root / "state/sessions/s.yaml"
    text = file.read_text()
    with opened(browser, f"{pages.url}/sessions/s", may_fail=True) as page:
        expect(page.get_by_role("heading", name="Services")).to_be_visible()
        file.unlink()
        expect(page.get_by_role("heading", name="Not found")).to_be_visible()
        expect(page.get_by_role("heading", name="Services")).to_be_hidden()
        file.write_text(text)
        expect(page.get_by_role("heading", name="Services")).to_be_visible()


def test_sections_that_a_later_look_brings_or_takes_are_where_a_new_page_has_them(browser: Browser) -> None:
    """An endpoint whose agent answers for the first time, and then no more."""
    whole = scinet()
    answers = {**whole.answers, "starlight-dtn": replace(whole.answer("starlight-dtn"), seen=EndpointSeen("starlight-dtn"))}
    without = replace(whole, answers=answers, examined=None)
    with served_view(without, Standing()) as pages, opened(browser, f"{pages.url}/endpoints/starlight-dtn") as page:
        less = _sections(page)
        assert "map" not in less
        pages.show(replace(whole, number=2))
        expect(page.get_by_role("figure", name="The host of starlight-dtn")).to_be_visible()
        more = _sections(page)
        page.reload()
        assert _sections(page) == more
        pages.show(replace(without, number=3))
        expect(page.get_by_role("figure", name="The host of starlight-dtn")).to_be_hidden()
        assert _sections(page) == less


def _sections(page: Page) -> list[str]:
    found: list[str] = page.locator("main > *").evaluate_all("items => items.map(item => item.dataset.part || item.tagName)")
    return found


def test_the_choice_of_a_state_keeps_what_was_typed_into_the_filter(browser: Browser, many: Served) -> None:
    with opened(browser, f"{many.url}/sessions") as page:
        page.keyboard.press("/")
        page.keyboard.type("dtn007")
        expect(page.locator(".choices a").first).to_have_attribute("href", "/sessions?filter=dtn007")
        page.locator(".choices").get_by_role("link", name=re.compile("^ABSENT")).click()
        page.wait_for_url("**/sessions?filter=dtn007&state=ABSENT")
        expect(page.get_by_label("Filter sessions")).to_have_value("dtn007")
