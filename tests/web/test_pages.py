"""What pages say, as values: what is wrong first, states by words, times and ages, long lists a page at a time, hostile names as text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dtnctl import web
from dtnctl.errors import Problem
from dtnctl.model.head import Head
from dtnctl.model.history import History
from dtnctl.model.resources import LABEL_NAME
from dtnctl.render.html import element
from dtnctl.render.pictures.style import STYLE
from dtnctl.web.pages import endpoints, history, networks, overview, plan, sessions, transfers
from dtnctl.web.pages.frame import PAGES, Page, render_page
from dtnctl.web.pages.lists import ROWS, Asked, asked_of
from dtnctl.web.pages.plan import MOST_GROUPS, PlanOf
from dtnctl.web.pages.words import age, prose, state
from dtnctl.web.view import Answer, View, not_asked
from tests.render.plans import BY_HAND
from tests.render.test_html import HOSTILE, Seen
from tests.render.test_same_facts import facts
from tests.web.scenes import NOW, fleet, scinet, view_of


def text_of(page: Page, view: View) -> str:
    return words_of(render_page(page, view, NOW))


def words_of(markup: str) -> str:
    """Its text, with a space wherever an element begins or ends."""
    return " ".join(Seen(markup.replace("<", " <")).text.split())


def test_what_is_wrong_stands_first_on_the_first_page() -> None:
    text = text_of(overview.overview(scinet(), NOW), scinet())
    order = [
        "Needs a look",
        "endpoint surf-dtn-ppc",
        "silent since 11:53:48 UTC (6 min)",
        "connection refused",
        "transfer sc20-2T",
    ]
    order += ["no space left on device", "session climate", "killed: out of memory", "host of starlight-dtn", "What there is"]
    places = [text.index(words) for words in order]
    assert places == sorted(places), text


def test_an_endpoint_that_is_silent_is_named_once_and_not_for_each_session_on_it() -> None:
    text = text_of(overview.overview(scinet(), NOW), scinet())
    assert text.count("connection refused") == 1


def test_states_are_words_with_a_sign_that_screen_readers_skip() -> None:
    assert state("MIXED") == '<span class="state warning"><span class="sign" aria-hidden="true">▲</span> MIXED</span>'
    assert (
        state("a word that is new")
        == '<span class="state unknown"><span class="sign" aria-hidden="true">?</span> a word that is new</span>'
    )
    assert state("") == ""


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "now"), (12, "12 s"), (59.9, "59 s"), (60, "1 min"), (7300, "2 h"), (200_000, "2 d")])
def test_ages_have_one_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_endpoints_that_are_silent_come_first_with_since_when_and_why() -> None:
    view = scinet()
    seen = Seen(endpoints.endpoints(view, NOW).body)
    keys = [attributes["data-key"] for name, attributes in seen.elements if name == "tr" and "data-key" in attributes]
    assert keys[:2] == ["surf-dtn-ppc", "starlight-dtn"], "silent, then what doctor finds"
    text = " ".join(seen.text.split())
    assert "silent 6 min" in text
    assert "connection refused" in text


def test_each_answer_has_its_age() -> None:
    view = scinet()
    found = [attributes for name, attributes in Seen(endpoints.endpoints(view, NOW).body).elements if name == "time"]
    assert {item["title"] for item in found} == {"2026-06-01 11:59:48 UTC"}
    assert len(found) == len(view.endpoints)


def test_an_endpoint_s_page_has_its_facts_findings_services_and_hardware() -> None:
    view = scinet()
    text = text_of(endpoints.endpoint(view, "starlight-dtn", NOW), view)
    for words in ("alice@ci-7", "27.3.1", "net.core.rmem_max", "212992", "Hardware in numbers", "ens1f0", "ofed-test", "climate"):
        assert words in text


def test_an_endpoint_that_has_not_answered_yet_is_not_called_silent() -> None:
    view = replace(scinet(), answers={}, number=0)
    text = text_of(endpoints.endpoints(view, NOW), view)
    assert "? asked" in text
    assert "never" in text
    assert "The first look is under way" in text
    assert "? asked" in text_of(endpoints.endpoint(view, "lbnl-dtn", NOW), view)


def test_a_silence_lasts_from_its_first_look_and_ends_with_an_answer() -> None:
    silent, answered = scinet().answers["surf-dtn-ppc"].seen, scinet().answers["lbnl-dtn"].seen
    first = not_asked("x").then(answered, NOW).then(silent, NOW + timedelta(seconds=5))
    later = first.then(silent, NOW + timedelta(seconds=60))
    assert later == Answer(silent, NOW + timedelta(seconds=60), NOW + timedelta(seconds=5), NOW)
    assert later.then(answered, NOW + timedelta(seconds=90)).silent_since is None


def test_a_session_s_page_has_its_services_transfers_and_where_it_is_declared() -> None:
    view = scinet()
    text = text_of(sessions.session(view, "climate", {}, NOW), view)
    for words in ("MIXED", "starlight-dtn: killed: out of memory", "state/sessions/climate.yaml:1", "run14", "30010", "No recorded run"):
        assert words in text, words


def test_a_transfer_s_page_has_its_receipt_limit_and_where_the_curve_comes_from() -> None:
    view = scinet()
    page = transfers.transfer(view, "sc20-1T", NOW)
    text = text_of(page, view)
    for words in (
        "succeeded since 2026-06-01 10:22:34 UTC",
        "1099511627776 (1.00 TiB)",
        "sha256 of 1 file equal at both ends",
        "alice@ci-7",
        "% of",
    ):
        assert words in text, words
    curve = next(attributes for name, attributes in Seen(page.body).elements if attributes.get("id") == "curve")
    assert curve["data-source"] == "/transfers/sc20-1T/events"


def test_transfers_that_went_wrong_come_first_with_their_cause_below() -> None:
    view = scinet()
    seen = Seen(transfers.transfers(view, Asked(), NOW).body)
    keys = [attributes["data-key"] for name, attributes in seen.elements if name == "tr" and "data-key" in attributes]
    assert keys[0] == "sc20-2T"
    assert "no space left on device" in seen.text


def test_a_sentence_with_code_shows_code_and_no_backticks_and_other_text_is_as_it_is() -> None:
    assert prose("session climate has no `user` to log in as") == "session climate has no <code>user</code> to log in as"
    assert prose("one ` alone <b>") == "one ` alone &lt;b&gt;"
    assert prose(element("b", "`")) == "<b>`</b>"
    assert "`" not in text_of(transfers.transfers(scinet(), Asked(), NOW), scinet())
    assert "`" not in text_of(endpoints.endpoint(scinet(), "starlight-dtn", NOW), scinet())


def test_a_transfer_that_runs_has_no_cause() -> None:
    """The report says there how to follow it, which is what its page does."""
    view = scinet()
    rows = tuple(replace(row, state="running", cause="follow it with: x") if row.name == "run14" else row for row in view.transfers)
    view.__dict__["transfers"] = rows
    for page in (transfers.transfer(view, "run14", NOW), transfers.transfers(view, Asked(), NOW), overview.overview(view, NOW)):
        assert "follow it with" not in text_of(page, view)


def test_no_style_of_the_page_reaches_into_a_picture() -> None:
    """A class that both have made the ring of a link that is unknown invisible."""
    sheet = re.sub(r"/\*.*?\*/", "", (Path(web.__file__).parent / "static/page.css").read_text(), flags=re.DOTALL)
    selectors = [item.strip() for block in re.findall(r"([^{}]+)\{", sheet) for item in block.split(",")]
    alone = {last[1:] for item in selectors if re.fullmatch(r"\.[\w-]+", last := item.split()[-1])}
    assert alone & set(re.findall(r"\.dtnctl-picture \.([\w-]+)", STYLE)) == set()


def test_a_thousand_sessions_are_shown_a_hundred_at_a_time() -> None:
    view = fleet()
    first = Seen(sessions.sessions(view, Asked(), NOW).body)
    rows = [attributes for name, attributes in first.elements if name == "tr" and "data-key" in attributes]
    assert len(rows) == ROWS == 100
    assert "1–100 of 1,000 sessions" in " ".join(first.text.split())
    last = Seen(sessions.sessions(view, Asked(page=10_000), NOW).body)
    assert "901–1,000 of 1,000 sessions" in " ".join(last.text.split())
    assert len(first.elements) < 3000


def test_the_filter_finds_words_in_any_field_and_keeps_its_place_in_links() -> None:
    view = fleet()
    seen = Seen(sessions.sessions(view, Asked("DTN007 dtn:"), NOW).body)
    assert "1–10 of 10 found of 1,000 sessions" in " ".join(seen.text.split())
    many = Seen(sessions.sessions(view, Asked("s0", state="ABSENT"), NOW).body)
    links = [attributes["href"] for name, attributes in many.elements if attributes.get("rel") == "next"]
    assert links == ["/sessions?filter=s0&state=ABSENT&page=2"]
    assert "0 of 1,000 sessions" in " ".join(Seen(sessions.sessions(view, Asked("nothing like this"), NOW).body).text.split())


@pytest.mark.parametrize(("page", "number"), [("3", 3), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("9" * 30, 1), ("", 1)])
def test_a_page_that_is_no_number_is_the_first(page: str, number: int) -> None:
    assert asked_of({"page": page}).page == number


@pytest.mark.parametrize("name", BY_HAND)
def test_every_fact_of_a_plan_is_on_its_page(name: str) -> None:
    found = BY_HAND[name]
    text = " ".join(Seen(plan.plan_page(PlanOf("", "HEAD", found), (), NOW).body).text.split())
    missing = [fact for change in found.changes for fact in facts(change) if fact and " ".join(fact.split()) not in text]
    assert missing == []


def test_what_a_plan_blocks_stands_before_what_it_changes() -> None:
    marks = [
        re.findall(r"mark (\w+)", plan.plan_page(PlanOf("", "HEAD", found), (), NOW).body.partition("Drift: Git")[0])
        for found in BY_HAND.values()
    ]
    for order in marks:
        places = [plan.MARKS.index(mark) for mark in order]
        assert places == sorted(places)
    assert any("blocked" in order and len(set(order)) > 1 for order in marks)


def test_a_plan_of_a_thousand_changes_shows_the_first_and_how_many_more() -> None:
    view = fleet()
    page = plan.plan_page(PlanOf("", "HEAD", view.plan), (), NOW)
    assert page.body.count("<details") <= MOST_GROUPS + 1
    assert f"{900 - MOST_GROUPS} more left out" in Seen(page.body).text


def test_a_plan_that_is_being_made_is_asked_for_again_and_one_with_troubles_shows_them() -> None:
    waiting = plan.plan_page(PlanOf("topic", "commit 1234567"), (("topic", "branch topic"),), NOW)
    assert waiting.reload == 2
    assert '<option value="topic">branch topic</option>' in waiting.body
    broken = plan.plan_page(PlanOf("topic", "commit 1234567", troubles=("1234567:state/x.yaml:1:1: E1: no",)), (), NOW)
    assert broken.reload == 0
    assert "1234567:state/x.yaml:1:1: E1: no" in broken.body


def test_files_that_are_wrong_now_are_named_above_the_site_as_it_was() -> None:
    view = replace(scinet(), problems=(Problem("state/sessions/x.yaml", 3, 1, "E0101", "there is no endpoint y"),), trouble="no space")
    text = text_of(overview.overview(view, NOW), view)
    assert "The state files have 1 problem; the site is shown as it was declared before: state/sessions/x.yaml:3:1: E0101" in text
    assert "The last look failed: no space. It is tried again." in text
    assert text.index("E0101") < text.index("Needs a look")


def test_networks_have_who_is_on_them() -> None:
    view = scinet()
    text = text_of(networks.networks(view, NOW), view)
    assert re.search(r"star222 macvlan 222 9000 192\.168\.2\.0/24.*lbnl-dtn ens1f0.*3", text), text


def test_history_without_a_record_says_why() -> None:
    page = history.history(History("", {}), "there is no repository", NOW)
    assert "The record of runs cannot be read: there is no repository" in Seen(page.body).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text_on_every_page(text: str) -> None:
    view = _hostile(text)
    pages = [
        overview.overview(view, NOW),
        endpoints.endpoints(view, NOW),
        endpoints.endpoint(view, "lbnl-dtn", NOW),
        sessions.sessions(view, Asked(text, text), NOW),
        transfers.transfers(view, Asked(text), NOW),
        plan.plan_page(PlanOf(text, text, view.plan, (text,), (text,)), ((text, text),), NOW),
        networks.networks(view, NOW),
    ]
    for page in pages:
        seen = Seen(render_page(page, view, NOW))
        scripts = [attributes for name, attributes in seen.elements if name == "script"]
        assert scripts == [{"src": "/static/page.js"}], page.title
        assert not [key for _, attributes in seen.elements for key in attributes if key.startswith("on") or key == "style"]
        assert not [attributes for name, attributes in seen.elements if name == "img"]


def _hostile(text: str) -> View:
    """The site with this text wherever an endpoint, Git or a person can write one."""
    view = scinet()
    seen = {
        name: replace(item, engine_version=text, silence=text if item.silence else "") for name, item in view.snapshot.endpoints.items()
    }
    containers = tuple(replace(item, labels={**item.labels, LABEL_NAME: text}, error=text) for item in seen["lbnl-dtn"].containers)
    seen["lbnl-dtn"] = replace(seen["lbnl-dtn"], containers=containers)
    made = view_of(view.site, replace(view.snapshot, endpoints=seen))
    return replace(made, head=Head(text, text), trouble=text, problems=(Problem(text, 1, 1, "E1", text),))


def test_every_page_has_landmarks_one_heading_and_the_page_that_it_is() -> None:
    view = scinet()
    for name, page in {"overview": overview.overview(view, NOW), "sessions": sessions.sessions(view, Asked(), NOW)}.items():
        seen = Seen(render_page(page, view, NOW))
        names = [tag for tag, _ in seen.elements]
        assert {"header", "nav", "main", "footer"} <= set(names)
        assert names.count("h1") == names.count("main") == 1
        current = [attributes["href"] for tag, attributes in seen.elements if attributes.get("aria-current") == "page"]
        assert current == ["/" if name == "overview" else f"/{name}"]
    assert set(PAGES) == {"overview", "endpoints", "sessions", "transfers", "plan", "networks", "history"}
