"""A picture of networks shows who is in which by what, and stays small: what is alike becomes one and says how many it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.render.pictures.dot import render_dot
from dtnctl.render.pictures.fold import MOST_GROUPS, MOST_NETWORKS, MOST_ROWS, folded
from dtnctl.render.pictures.mermaid import render_mermaid
from dtnctl.render.pictures.network_graph import networks_graph
from dtnctl.render.pictures.network_words import row_name, row_words
from dtnctl.render.pictures.networks import networks_picture
from dtnctl.render.pictures.svg import standalone
from tests.render.pictures.maps import NETWORKS, large_site
from tests.render.pictures.reading import size_of, titles, words_of

DOCUMENT = standalone(networks_picture(NETWORKS))


def _alike(count: int, *, of: int = 2) -> NetworkMap:
    """`count` endpoints, of which every `of`-th is in its own way in the networks."""
    names = [f"dtn{number:03}" for number in range(count)]
    networks = [f"n{number}" for number in range(of)]
    crossings = [Crossing(name, networks[number % of], "ens1f0", 100_000, True) for number, name in enumerate(names)]
    return NetworkMap(
        "s", tuple(map(EndpointPlace, names)), tuple(NetworkPlace(name, "macvlan") for name in networks), tuple(crossings), (), ()
    )


def test_networks_interfaces_paths_and_sessions_can_be_read() -> None:
    words = words_of(DOCUMENT)
    for part in (
        "star222", "sriov · VLAN 222", "192.168.2.0/24", "MTU 9000", "path amsterdam-chicago", "2001:db8:30::/64",
        "ens1f1np1", "100 Gb/s", "down",
        "active · VLAN 3987", "50 Gb/s promised", "unknown: no answer within 10 s", "link unknown",
        "2 sessions: ofed-test, ofed-test-2", "STOPPED",
    ):  # fmt: skip
        assert part in words, part


def test_the_description_has_what_the_picture_has() -> None:
    words = networks_picture(NETWORKS).description
    assert words.startswith(
        "Site scinet: 3 endpoints, 3 networks, 1 path, 5 sessions. Endpoint surf-dtn-ppc: unknown: no answer within 10 s."
    )
    assert (
        "Network lab17 (macvlan · VLAN 17, 10.17.0.0/24, MTU 1500): nersc-tbn-7 by eno2 10 Gb/s, starlight-dtn by ens2f0np0 down." in words
    )
    assert "Session climate (MIXED) on starlight-dtn, surf-dtn-ppc over surf." in words


def test_few_endpoints_stay_apart() -> None:
    assert [row.names for row in folded(_alike(MOST_ROWS)).rows] == [(f"dtn{number:03}",) for number in range(MOST_ROWS)]


def test_many_endpoints_that_are_alike_are_one_row() -> None:
    rows = folded(_alike(100)).rows
    assert [(len(row.names), row.links[0].interface) for row in rows] == [(50, "ens1f0"), (50, "ens1f0")]
    assert "dtn000 … dtn098" in words_of(standalone(networks_picture(_alike(100))))
    assert "50 alike · 0 sessions" in words_of(standalone(networks_picture(_alike(100))))


def test_a_silent_endpoint_is_not_alike_to_one_that_answers() -> None:
    site = _alike(100)
    silent = (EndpointPlace("dtn000", "gone"), *site.endpoints[1:])
    assert [(len(row.names), row.unknown) for row in folded(replace(site, endpoints=silent)).rows] == [
        (1, ("gone",)),
        (50, ()),
        (49, ()),
    ]


def _each_on_its_own(*, silent: int = 0, agents: int = 0) -> NetworkMap:
    """40 endpoints, no two in the same networks: nine of them have no row of their own, and the last ones of those do not answer."""
    names = [f"e{number:02}" for number in range(40)]
    places = [EndpointPlace(name, "timed out" if 40 - silent <= number else "") for number, name in enumerate(names)]
    places = [replace(item, agent_silence="refused" if 31 <= number < 31 + agents else "") for number, item in enumerate(places)]
    bits = [(name, bit) for number, name in enumerate(names) for bit in range(6) if (number + 1) >> bit & 1]
    crossings = tuple(Crossing(name, f"n{bit}", "eth0", 100_000, True) for name, bit in bits)
    sessions = tuple(SessionPlace(f"s{number}", "STARTED", (names[31 + number % 8],)) for number in range(12))
    return NetworkMap("s", tuple(places), tuple(NetworkPlace(f"n{bit}", "macvlan") for bit in range(6)), crossings, (), sessions)


def _rest(site: NetworkMap) -> str:
    row = folded(site).rows[-1]
    assert row.is_rest
    return f"{row_name(row)}: {row_words(row)}"


def test_those_of_a_row_that_are_silent_are_counted_and_the_others_stay_known() -> None:
    assert _rest(_each_on_its_own()) == "9 others: 12 sessions"
    assert _rest(_each_on_its_own(silent=1)) == "9 others: 1 unknown · 12 sessions"
    assert _rest(_each_on_its_own(silent=9)) == "9 others: unknown: timed out"
    assert _rest(_each_on_its_own(agents=1)) == "9 others: 1 agent silent · 12 sessions"
    assert _rest(_each_on_its_own(agents=2)) == "9 others: 2 agents silent · 12 sessions"
    assert 'class="missing"' not in standalone(networks_picture(_each_on_its_own(silent=1)))
    assert 'class="missing"' in standalone(networks_picture(_each_on_its_own(silent=9)))


@pytest.mark.parametrize(
    ("changes", "words", "sign"),
    [
        ([{"is_up": False}], "1 of 4 down", "down"),
        ([{"is_up": None, "is_missing": True}], "1 of 4 missing", "down"),
        ([{"is_up": None}], "1 of 4 unknown", "unseen"),
        ([{"is_up": False}, {"is_up": None}], "1 of 4 down, 1 unknown", "down"),
        ([{"is_up": False}] * 4, "down", "down"),
        ([{"is_up": None, "is_missing": True}] * 4, "missing", "down"),
        ([{"is_up": None}] * 4, "link unknown", "unseen"),
    ],
)
def test_links_of_a_row_that_do_not_work_or_are_unknown_are_counted_and_have_a_sign(
    changes: list[dict[str, bool | None]], words: str, sign: str
) -> None:
    site = _each_on_its_own()
    rest = set(folded(site).rows[-1].names)
    here = [index for index, item in enumerate(site.crossings) if item.endpoint in rest and item.network == "n0"]
    crossings = list(site.crossings)
    for index, change in zip(here, changes, strict=False):
        crossings[index] = replace(crossings[index], **change)  # type: ignore[arg-type]  # fields that may be such
    changed = replace(site, crossings=tuple(crossings))
    picture = networks_picture(changed)
    assert f"9 others by eth0 {words}" in picture.description
    assert f"eth0 · {words}" in render_mermaid(networks_graph(changed))
    assert f"9 others, n0: eth0 {words}" in titles(standalone(picture))
    drawn = [standalone(networks_picture(each)).count(f'r="5" class="{sign}"') for each in (site, changed)]
    assert drawn == [1, 2], "one is the legend's"


def test_a_network_that_the_host_makes_itself_has_no_link_to_know() -> None:
    site = replace(_alike(1, of=1), crossings=(Crossing("dtn000", "n0"),))
    assert standalone(networks_picture(site)).count('class="unseen"') == 1, "the legend's"


def test_the_ends_of_a_path_are_not_alike_to_others() -> None:
    path = PathPlace("p", "active", "nsi", ("dtn000", "dtn004"))
    rows = folded(replace(_alike(100), paths=(path,))).rows
    assert [len(row.names) for row in rows] == [2, 50, 48]


def test_what_differs_in_interfaces_alone_is_one_row_without_their_name() -> None:
    site = _alike(100)
    crossings = [replace(item, interface=f"eth{number}", speed=number) for number, item in enumerate(site.crossings)]
    rows = folded(replace(site, crossings=tuple(crossings))).rows
    assert [(len(row.names), row.links[0].interface, row.links[0].speed) for row in rows] == [(50, "", None), (50, "", None)]


def test_what_is_not_alike_at_all_is_counted_in_the_last_row() -> None:
    rows = folded(_alike(100, of=50)).rows
    assert (len(rows), sum(len(row.names) for row in rows), rows[-1].is_rest) == (MOST_ROWS, 100, True)
    assert "38 others" in words_of(standalone(networks_picture(_alike(100, of=50))))


def test_sessions_in_the_same_place_and_state_are_one_column() -> None:
    sessions = tuple(SessionPlace(f"s{number}", "STARTED" if number else "STOPPED", ("dtn000",), ("n0",)) for number in range(9))
    groups = folded(replace(_alike(2), sessions=sessions)).groups
    assert [(len(group.names), group.state, group.rows) for group in groups] == [(1, "STOPPED", (0,)), (8, "STARTED", (0,))]


def test_a_session_of_an_endpoint_that_is_not_declared_is_on_no_row() -> None:
    site = replace(_alike(2), sessions=(SessionPlace("s", "STARTED", ("gone",)),))
    assert folded(site).groups[0].rows == ()
    assert "s" in words_of(standalone(networks_picture(site))).split()


def test_networks_that_most_endpoints_are_in_are_drawn_and_the_others_counted() -> None:
    site = _alike(30, of=MOST_NETWORKS + 2)
    drawn = folded(site)
    assert (len(drawn.networks), drawn.more_networks) == (MOST_NETWORKS, 2)
    assert "2 further networks are not drawn." in words_of(standalone(networks_picture(site)))


def test_paths_are_counted_where_they_have_no_room() -> None:
    paths = tuple(PathPlace(f"p{number}", "active", "nsi", ("dtn000",), ("urn:x",), bandwidth=500) for number in range(MOST_NETWORKS + 1))
    words = words_of(standalone(networks_picture(replace(_alike(2), paths=paths))))
    assert "1 further path is not drawn." in words
    assert "and 1 other end" in words
    assert "500 kb/s promised" in words


def test_a_large_site_says_something_and_loses_nothing() -> None:
    site = large_site()
    drawn = folded(site)
    assert sum(len(row.names) for row in drawn.rows) == 100
    assert sum(len(group.names) for group in drawn.groups) + drawn.more_sessions == 1000
    assert (len(drawn.rows) <= MOST_ROWS, len(drawn.groups) <= MOST_GROUPS) == (True, True)
    width, height = size_of(standalone(networks_picture(site)))
    assert width < 2400
    assert height < 2400


def test_graphviz_and_mermaid_get_the_same_networks() -> None:
    for text in (render_dot(networks_graph(NETWORKS)), render_mermaid(networks_graph(NETWORKS))):
        for part in ("sriov · VLAN 222", "ens1f0np0 · 100 Gb/s", "path amsterdam-chicago", "2 sessions: ofed-test, ofed-test-2"):
            assert part in text, part
    dashed = {(edge.first, edge.second) for edge in networks_graph(NETWORKS).edges if edge.is_dashed}
    assert dashed == {("endpoint1", "network0"), ("endpoint1", "path0"), ("endpoint2", "path0")}


@pytest.mark.parametrize("site", [large_site(), _alike(100, of=50)])
def test_a_graph_of_a_large_site_is_small_enough_for_github(site: NetworkMap) -> None:
    graph = networks_graph(site)
    assert len(graph.edges) <= 500
    assert len(render_mermaid(graph)) <= 50_000


def test_what_is_not_drawn_is_a_note_of_the_graph() -> None:
    assert [node.lines for node in networks_graph(large_site()).nodes if node.kind == "note"]


def test_an_endpoint_shows_all_that_are_alike_under_the_pointer() -> None:
    assert any(title.startswith("dtn000, dtn002, ") for title in titles(standalone(networks_picture(_alike(100)))))
