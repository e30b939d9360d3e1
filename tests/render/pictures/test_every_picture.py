"""What is true of each picture: it is well-formed, it asks for nothing from outside, it says what it shows, and no text lies on another."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from dtnctl.model.host_map import CarriedNetwork, HeldHere, HostMap
from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.render.pictures.host import host_picture
from dtnctl.render.pictures.networks import networks_picture
from dtnctl.render.pictures.rate import Limit, rate_picture
from dtnctl.render.pictures.style import STYLE
from dtnctl.render.pictures.svg import Picture, inline, standalone
from tests.render.pictures.maps import HOST, HOSTILE, NETWORKS, large_host, large_site, samples
from tests.render.pictures.reading import SVG, size_of, texts, words_of

LONG = "a-name-of-sixty-three-characters-that-no-column-was-ever-made-for"


def _host_of_strangers(name: str) -> HostMap:
    """A host in which every text is this one."""
    node = HOST.nodes[0]
    card = replace(node.cards[1], name=name, driver=name, pci=name, rdma=(name,), networks=(CarriedNetwork(name, name, 1, (name,)),))
    disk = replace(node.disks[0], name=name, model=name, mounts=(name,), sessions=(name,), volume=name, exported=name)
    functions = (replace(card.functions[0], session=name, network=name), replace(card.functions[1], session="", other=name))
    strange = replace(node, cards=(replace(card, functions=functions),), disks=(disk,), cpus=(replace(node.cpus[0], sessions=(name,)),))
    held = HeldHere(name, name, "0", (f"{name} 1",), (name,), (name,))
    return HostMap(name, hardware=(name, name), sockets=2, nodes=(strange, strange), sessions=(held,))


def _networks_of_strangers(name: str) -> NetworkMap:
    return NetworkMap(
        name,
        (EndpointPlace(name, name), EndpointPlace("b", agent_silence=name)),
        (NetworkPlace(name, name, 1, 9000, (name, name), name),),
        (Crossing(name, name, name, 100, False), Crossing("b", name, name)),
        (PathPlace(name, name, name, (name, "b"), (name,), 1, 1, 1),),
        (SessionPlace(name, "STARTED", (name, "b"), (name,)),),
    )


def _site_of(networks: int, sessions: int) -> NetworkMap:
    names = [f"n{number}" for number in range(networks)]
    return NetworkMap(
        "s",
        (EndpointPlace("a"),),
        tuple(NetworkPlace(name, "macvlan") for name in names),
        tuple(Crossing("a", name, "ens1f0", 100_000, True) for name in names),
        (),
        tuple(SessionPlace(f"run{number}", "STARTED", ("a",), tuple(names[number : number + 1])) for number in range(sessions)),
    )


PICTURES: dict[str, Picture] = {
    "host": host_picture(HOST),
    "unknown host": host_picture(HostMap("dtn1", unknown="no answer within 10 s")),
    "large host": host_picture(large_host()),
    "host of strangers": host_picture(_host_of_strangers(HOSTILE)),
    "host of long names": host_picture(_host_of_strangers(LONG)),
    "networks": networks_picture(NETWORKS),
    "large site": networks_picture(large_site()),
    "empty site": networks_picture(NetworkMap("empty", (), (), (), (), ())),
    "networks of strangers": networks_picture(_networks_of_strangers(HOSTILE)),
    "networks of long names": networks_picture(_networks_of_strangers(LONG)),
    **{
        f"{networks} networks, {sessions} sessions": networks_picture(_site_of(networks, sessions))
        for networks in (0, 2, 3, 4)
        for sessions in (1, 2, 3)
    },
    "rate": rate_picture("t", samples(), Limit("link ens1f0 of dtn1", 12.5e9)),
    "rate far below": rate_picture(LONG * 3, samples(), Limit(LONG, 1e12)),
    "rate of strangers": rate_picture(HOSTILE, samples(), Limit(HOSTILE, 12.5e9)),
    "no rate": rate_picture("t", ()),
}
EACH = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES.keys())


@EACH
def test_a_picture_says_what_it_is_and_what_it_shows(picture: Picture) -> None:
    root = ElementTree.fromstring(standalone(picture))
    assert (root.get("role"), root.get("class")) == ("img", "dtnctl-picture")
    named = [root.find(f"*[@id='{name}']") for name in root.attrib["aria-labelledby"].split()]
    assert [part.tag if part is not None else None for part in named] == [f"{SVG}title", f"{SVG}desc"]
    assert all(part is not None and part.text for part in named)


@EACH
def test_a_picture_needs_nothing_from_outside_and_carries_nothing_that_runs(picture: Picture) -> None:
    root = ElementTree.fromstring(standalone(picture))
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "text", "line", "circle", "path",
    }  # fmt: skip
    names = {name for part in root.iter() for name in part.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name or name == "style"}
    assert "url(" not in STYLE
    assert "@import" not in STYLE


@EACH
def test_every_text_is_inside_of_the_picture(picture: Picture) -> None:
    document = standalone(picture)
    width, height = size_of(document)
    outside = [item for item in texts(document) if item.left < 0 or item.right > width or not item.size / 2 < item.baseline < height]
    assert not outside


@EACH
def test_no_text_lies_on_another(picture: Picture) -> None:
    found = sorted(texts(standalone(picture)), key=lambda item: item.baseline)
    pairs = [(first, second) for index, first in enumerate(found) for second in found[index + 1 : index + 90] if first.covers(second)]
    assert not pairs


@EACH
def test_pictures_on_one_page_have_ids_of_their_own_and_no_style_sheet(picture: Picture) -> None:
    page = f"<div>{inline(picture, 'first')}{inline(picture, 'second')}</div>"
    ids = [part.attrib["id"] for part in ElementTree.fromstring(page).iter() if "id" in part.attrib]
    assert sorted(ids) == ["first-description", "first-title", "second-description", "second-title"]
    assert "<style" not in page


@EACH
def test_no_place_has_more_decimals_than_a_screen(picture: Picture) -> None:
    places = [value for part in ElementTree.fromstring(standalone(picture)).iter() for value in part.attrib.values()]
    assert not [value for value in places if re.search(r"\d\.\d\d", value)]


def test_names_that_would_like_to_be_markup_stay_text() -> None:
    for name in ("host of strangers", "networks of strangers", "rate of strangers"):
        document = standalone(PICTURES[name])
        assert "<script" not in document
        assert "\u202e" not in document
        assert "&lt;script&gt;" in document
        assert "</text><script>" in words_of(document)


def test_light_and_dark_follow_the_reader_and_a_class_overrides_both() -> None:
    assert "@media (prefers-color-scheme:dark){.dtnctl-picture{" in STYLE
    assert STYLE.index("@media") < STYLE.index(".dtnctl-picture.light") < STYLE.index(".dtnctl-picture.dark")
    assert all(rule.startswith((".dtnctl-picture", "@media", "\n")) for rule in STYLE.strip().split("\n"))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_told_from_what_is_behind_it(mode: int) -> None:
    """By the ratio that WCAG 2.2 asks for (1.4.3)."""
    block = re.findall(r"\{(--paper[^}]*?)(?:font|\})", STYLE)[mode]
    colours = dict(re.findall(r"--(\w+):(#\w{6});", block))
    pairs = [(ink, ground) for ink in ("ink", "quiet", "good", "bad", "limit") for ground in ("paper", "panel", "free")]
    pairs += [("ink", f"fill{index}") for index in range(8)] + [(f"line{index}", "paper") for index in range(8)]
    pairs.append(("ink", "reserved"))
    weak = {}
    for ink, ground in pairs:
        light, dark = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
        if (ratio := (light + 0.05) / (dark + 0.05)) < 4.5:
            weak[ink, ground] = round(ratio, 2)
    assert not weak
