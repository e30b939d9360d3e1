"""Paths in files: what networks, sessions and paths say of each other, and what a provider can be asked for."""

from __future__ import annotations

import pytest

from dtnctl.model.site import Document, Mark
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.validation.paths import find_provider_problems
from tests.model.sites import objects, problems

HOST = "docker: ssh://dtn@h.example.net\ninterfaces: {data: eth1, wan: eth1}\n"
LAN_TOO = HOST.replace("wan: eth1", "wan: eth1, lan: eth1")
WAN = "driver: macvlan\npath: a2b\nsubnet: 10.9.0.0/24\n"
PATH = "ends:\n  - {endpoint: a}\n  - {endpoint: b}\nvlan: 1790\nmtu: 9000\n"
SESSION = "endpoints: [a, b]\nimage: dtn:1\nsettings: {data_nets: [wan], mgmt_net: null}\n"
FILES = {"endpoints/a": HOST, "endpoints/b": HOST, "networks/wan": WAN, "paths/a2b": PATH, "sessions/s": SESSION}
PORT = "urn:ogf:network:x.example.net:2026:port-"


def wrong(**files: str) -> list[str]:
    """What is wrong with the files, each named kind__name."""
    return problems({**FILES, **{name.replace("__", "/"): text for name, text in files.items()}})


def test_network_has_the_vlan_and_the_mtu_of_its_path() -> None:
    assert not wrong()
    network = objects(FILES).networks["wan"]
    assert (network.value.vlan, network.value.mtu) == (1790, 9000)
    assert network.where("vlan") == network.where("path") == "networks/wan.yaml:2"


def test_network_may_say_an_mtu_that_its_path_does_not() -> None:
    assert not wrong(networks__wan=WAN + "mtu: 1500\n", paths__a2b=PATH.replace("mtu: 9000\n", ""))


def test_what_both_say_is_an_error_with_both_places() -> None:
    assert wrong(networks__wan=WAN + "vlan: 5\nmtu: 1500\n") == [
        "networks/wan.yaml:4:7: E0321: `vlan` of this network is that of path `a2b` (paths/a2b.yaml:4); try to remove `vlan` here",
        "networks/wan.yaml:5:6: E0321: `mtu` of this network is that of path `a2b` (paths/a2b.yaml:5); try to remove `mtu` here",
    ]


def test_path_that_has_no_file_is_named() -> None:
    found = wrong(networks__wan=WAN.replace("a2b", "a2c"))
    assert found == ["networks/wan.yaml:2:7: E0320: there is no path `a2c`; try `a2b`"]


def test_path_whose_file_is_broken_is_not_missed() -> None:
    files = {name: text for name, text in FILES.items() if name != "paths/a2b"}
    assert not problems(files, paths={"a2b"})


def test_two_networks_do_not_go_over_one_path() -> None:
    found = wrong(networks__lan=WAN.replace("10.9", "10.8"))
    assert found[0].startswith("networks/wan.yaml:2:7: E0322: path `a2b` carries network `lan` (networks/lan.yaml:2)")


def test_end_at_an_endpoint_that_has_no_file() -> None:
    found = wrong(paths__a2c=PATH.replace("endpoint: b", "endpoint: c").replace("1790", "1791"))
    assert found == ["paths/a2c.yaml:3:16: E0301: there is no endpoint `c`; try one of a, b"]


def test_session_where_the_path_has_no_end() -> None:
    found = wrong(endpoints__c=HOST, sessions__s=SESSION.replace("[a, b]", "[a, b, c]"))
    assert found == [
        "sessions/s.yaml:3:12: E0323: network `wan` goes over path `a2b`, which has no end at c (paths/a2b.yaml:1); "
        "try `{endpoint: c}` in its `ends`"
    ]


def test_vlan_of_a_path_is_not_another_network_on_one_interface() -> None:
    lan = "driver: macvlan\nvlan: 1790\nsubnet: 10.8.0.0/24\n"
    both = {"endpoints__a": LAN_TOO, "endpoints__b": LAN_TOO}
    found = wrong(networks__lan=lan, **both)
    assert [line.partition("; try")[0] for line in found] == [
        f"endpoints/{name}.yaml:2:31: E0324: VLAN 1790 of eth1 is that of network `lan` already (networks/lan.yaml:2)" for name in "ab"
    ]
    assert not wrong(networks__lan=lan.replace("1790", "1791"), **both)


def test_two_networks_whose_paths_choose_among_vlans_share_an_interface() -> None:
    wide = PATH.replace("1790", "1780-1799")
    files = {"paths__a2b": wide, "paths__a2c": wide, "networks__lan": WAN.replace("a2b", "a2c").replace("10.9", "10.8")}
    assert not wrong(**files, endpoints__a=LAN_TOO, endpoints__b=LAN_TOO, sessions__t=SESSION.replace("wan", "lan"))


# --- what a provider can be asked for -----------------------------------------------------------------------


def asked(text: str, *, name: str = "anagram") -> list[str]:
    """What is wrong with a path, at a site that has one provider."""
    provider = {"kind": "nsi", "url": "https://n.example.net", "options": {"requester": "r", "aggregator": "g"}}
    settings = SiteSettings.model_validate({"name": "lab", "path_providers": {name: provider}})
    found = objects({**FILES, "paths/a2b": text})
    document = Document("site", "site.yaml", settings, {(): Mark(1, 1), ("path_providers", name): Mark(3, 3)})
    return [str(problem) for problem in find_provider_problems(document, found.paths, found.endpoints)]


NSI_PATH = f"provider: anagram\nends:\n  - {{endpoint: a, port: '{PORT}1'}}\n  - {{endpoint: b, port: '{PORT}2'}}\nvlan: 1780-1799\n"


def test_path_that_a_provider_can_be_asked_for() -> None:
    assert not asked(NSI_PATH + "bandwidth: 10gbit\n")
    assert not asked(PATH)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (NSI_PATH, "nsi makes no path without a bandwidth"),
        (NSI_PATH + "bandwidth: 1500kbit\n", "nsi counts bandwidth in 1mbit"),
        (NSI_PATH + "bandwidth: 1gbit\nwindow: {until: 2026-12-01T00:00:00Z}\n", "nsi takes no time for a path: it is asked for now"),
        (NSI_PATH.replace("vlan", "  - {port: 'urn:x'}\nvlan") + "bandwidth: 1gbit\n", "a path of nsi has two ends, and this one has 3"),
        (NSI_PATH.replace(f", port: '{PORT}1'", "") + "bandwidth: 1gbit\n", "nsi has its own names for ports, and this end has none"),
        (NSI_PATH.replace(f"{PORT}1", f"{PORT}1?vlan=5") + "bandwidth: 1gbit\n", "is no port's name of nsi"),
        (PATH.replace("1790", "1780-1799"), "whoever made this path has given it one VLAN, and this is a range"),
    ],
)
def test_path_that_its_provider_cannot_make(text: str, what: str) -> None:
    found = asked(text)
    assert len([line for line in found if "E0327" in line and what in line]) == 1, found


def test_provider_that_the_site_does_not_have() -> None:
    assert asked(NSI_PATH.replace("anagram", "anagam")) == ["paths/a2b.yaml:1:11: E0326: there is no path provider `anagam`; try `anagram`"]


@pytest.mark.parametrize(("name", "what"), [("static", "is the provider that every site has"), ("b", "is the name of an endpoint")])
def test_name_that_no_provider_can_have(name: str, what: str) -> None:
    (found,) = [line for line in asked(PATH, name=name) if "E0325" in line]
    assert found.startswith("site.yaml:3:3: E0325: ")
    assert what in found
