"""`--label` and paths: a run of a part of the site asks for the paths of that part, and leaves those of the rest alone."""

from __future__ import annotations

from dtnctl.model.paths import PathSeen, PathSpec
from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from tests.planning.building import ANYTHING, site, world
from tests.planning.paths.scene import ASKED, SESSION, SITE, WAN, planned, seen

REGIONS = {"a": "eu", "b": "eu", "c": "us", "d": "us"}
HERE = "".join(
    f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\ninterfaces: {{wan: eth1, far: eth1}}\n"
    f"allow: {ANYTHING}\nlabels: {{region: {region}}}\n"
    for name, region in REGIONS.items()
)
PORTS = ("urn:ogf:network:y.example.net:2026:one", "urn:ogf:network:y.example.net:2026:two")
FAR_ENDS = f"ends:\n  - {{endpoint: c, port: '{PORTS[0]}'}}\n  - {{endpoint: d, port: '{PORTS[1]}'}}\n"
FAR = f"# paths/c2d\nprovider: anagram\n{FAR_ENDS}vlan: 1791\nbandwidth: 10gbit\n"
FAR_NETWORK = "# networks/far\ndriver: macvlan\npath: c2d\nsubnet: 10.8.0.0/24\n"
FAR_SESSION = "# sessions/two\nendpoints: [c, d]\nimage: dtn:1\nsettings: {data_nets: [far], mgmt_net: null}\n"
FAR_SEEN = PathSeen("c2", "active", PathSpec("c2d", "anagram", ("c", "d"), PORTS, 1791, 10_000_000))


def both_regions(near: str = ASKED + SESSION, far: str = FAR + FAR_SESSION) -> Site:
    return site(SITE + (HERE if far else HERE.replace(", far: eth1", "")) + WAN + near + (FAR_NETWORK if far else "") + far)


def paths_of(found: Plan) -> set[str]:
    return {f"{change.mark} {change.name}" for change in found.changes if change.kind == "path"}


def test_only_paths_of_the_selected_part_are_asked_for() -> None:
    text = both_regions()
    assert paths_of(planned(text, world(text))) == {"create a2b", "create c2d"}
    assert paths_of(planned(text, world(text), label="region=eu")) == {"create a2b"}
    assert paths_of(planned(text, world(text), label="region=us")) == {"create c2d"}


def test_a_path_of_the_rest_that_no_file_declares_any_more_stays() -> None:
    text = both_regions(far="")
    found = world(text)
    found.apply(planned(text, found, seen(), FAR_SEEN, label="region=eu"))
    assert paths_of(planned(text, found, seen(), FAR_SEEN, label="region=eu")) == set()
    assert paths_of(planned(text, found, seen(), FAR_SEEN)) == {"destroy c2d"}


def test_a_path_between_two_parts_is_left_to_a_run_of_the_whole() -> None:
    across = ASKED.replace("endpoint: b", "endpoint: c")
    session = SESSION.replace("[a, b]", "[a, c]")
    text = both_regions(near=across + session, far="")
    assert paths_of(planned(text, world(text))) == {"create a2b"}
    assert paths_of(planned(text, world(text), label="region=eu")) == set()
