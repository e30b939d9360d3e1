"""The noun tree: paths in it, and what a site looks like as one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.cli.shell.kinds import KINDS, asks, tree
from dtnctl.cli.shell.listing import listing_document, listing_text
from dtnctl.cli.shell.numbers import Numbers
from dtnctl.cli.shell.seen import Seen
from dtnctl.cli.shell.tree import Entry, Field, Folder, Parts, find, grown, parts_of, path_text
from dtnctl.errors import UsageError
from dtnctl.render.context import RenderContext
from tests.planning.building import NOW, applied, change, site

PLAIN = RenderContext()
SMALL = Folder(
    (
        Entry("climate", Folder((Entry("state", Field("STARTED")), Entry("services", Folder((Entry("dtn1", Field()),))))), 8),
        Entry("ofed", Folder(), 12, "12: INITIALIZED"),
    )
)


@pytest.mark.parametrize(
    ("here", "typed", "path"),
    [
        ((), "active", "/active"),
        (("active",), "8", "/active/8"),
        (("active", "8"), "services/dtn1/", "/active/8/services/dtn1"),
        (("active", "8"), "..", "/active"),
        (("active", "8"), "../../transfers", "/transfers"),
        (("active",), "/", "/"),
        (("active",), "/endpoints//dtn1", "/endpoints/dtn1"),
        ((), "../..", "/"),
        (("active",), "", "/active"),
        (("active",), ".", "/active"),
    ],
)
def test_paths_are_typed_as_in_a_shell(here: Parts, typed: str, path: str) -> None:
    assert path_text(parts_of(here, typed)) == path


def test_entries_are_found_by_number_and_by_name() -> None:
    assert find(SMALL, ("8",)) is find(SMALL, ("climate",))
    assert find(SMALL, ("8", "state")) == Field("STARTED")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("8", "servcies"), "there is no servcies in /8; try `services`"),
        (("9",), "there is no 9 in /; try one of 12, 8"),
        (("8", "state", "x"), "/8/state is a field and has nothing below it; try `ls /8/state`"),
        (("12", "state"), "there is no state in /12; try `ls /12`"),
    ],
)
def test_a_path_that_names_nothing_is_explained(path: Parts, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        find(SMALL, path)
    assert str(raised.value) == message


def test_a_name_that_is_the_number_of_another_entry_is_refused() -> None:
    folder = Folder((Entry("8", Folder(), 1), Entry("climate", Folder(), 8)))
    with pytest.raises(UsageError, match="8 is the name of one entry and the number of climate"):
        folder.entry("8")
    assert folder.entry("1") is folder.entries[0]


def test_plain_values_become_folders_and_fields() -> None:
    node = grown(
        {"name": "x", "nets": [{"name": "data", "mtu": 9000}, {"n": 1}], "list": ["a", 2], "none": None, "on": True, "range": (1, [2, 3])}
    )
    assert listing_text(node, PLAIN) == "name: x\nnets/\nlist: a, 2\nnone\non: true\nrange: 1, 2, 3\n"
    assert isinstance(node, Folder)
    assert listing_text(find(node, ("nets",)), PLAIN) == "data/\n2/\n"
    assert find(node, ("nets", "data", "mtu")) == Field("9000")


# --- a site as a tree ---------------------------------------------------------------------------------------

TEXT = """
# networks/net3989
driver: macvlan
subnet: 192.168.4.0/24
addresses: 192.168.4.179-192.168.4.190
mtu: 9000
# profiles/surf
data_nets: [net3989]
user: dtnaas
volumes: [/data:/data]
env: {TOKEN: xyzzy-secret, MODE: fast}
# sessions/gct
endpoints: [a, b]
image: dtnaas/gct:latest
profile: surf
# sessions/later
endpoints: [a]
image: dtnaas/gct:latest
state: initialized
# transfers/1T
from: a:/data/1T
to: b:/data/1T
tool: gridftp
session: gct
"""
NIC = "host: a\ninterfaces: {net3989: eth1}\nallow: {mounts: [/], networks: ['*']}"
SITE = site(TEXT)


def seen() -> Seen:
    without = {"gct": SITE.sessions["gct"]}
    world = applied(replace(SITE, sessions=without, transfers={}), images=("dtnaas/gct:latest",))
    return Seen(SITE, NOW, world.observe(), Numbers({"gct": 8, "later": 12}), Numbers({"1T": 1}), {"gct": "ann"})


def listed(*path: str, of: Seen | None = None) -> str:
    return listing_text(find(tree(of or seen(), path), path), PLAIN)


def test_sessions_are_numbered_as_in_the_talk_with_their_names_and_what_differs() -> None:
    assert listed("active") == (
        "8: STARTED      (['a', 'b'], dtnaas/gct:latest)  gct\n12: ABSENT      (['a'], dtnaas/gct:latest)  later, declared initialized\n"
    )
    assert listed("sessions") == "gct/\nlater/\n"


def test_a_session_has_the_talks_entries_first() -> None:
    assert listed("active", "8").splitlines()[:6] == [
        "uid: lab.gct",
        "user: ann",
        "state: STARTED",
        "allocations/",
        "services/",
        "request/",
    ]
    assert listed("active", "later", "user") == "not committed\n"
    assert "file: state/sessions/gct.yaml" in listed("active", "8", "request")
    assert "ctrl_port: 30000" in listed("active", "8", "allocations", "a")
    assert listed("active", "8", "services") == "a/\nb/\n"


def test_a_service_has_the_talks_fields_in_its_order() -> None:
    lines = listed("active", "8", "services", "b").splitlines()
    assert [line.partition(":")[0].rstrip("/") for line in lines[:13]] == [
        "mgmt_net",
        "data_net",
        "data_net_name",
        "data_ipv4",
        "data_vfmac",
        "container_user",
        "ctrl_port",
        "ctrl_host",
        "docker_kwargs",
        "image",
        "profile",
        "errors",
        "container_id",
    ]
    assert {"data_net_name: net3989", "data_ipv4: 192.168.4.180", "container_user: dtnaas", "ctrl_port: 30000", "errors"} <= set(lines)
    assert "mtu: 9000" in listed("active", "8", "services", "b", "data_net")
    assert listed("active", "8", "services", "b", "mgmt_net") == "name: bridge\n"


def test_nothing_of_the_tree_shows_the_environments_values() -> None:
    shown = listed("active", "8", "services", "a", "docker_kwargs") + listed("profiles", "surf") + listed("profiles", "surf", "env")
    assert "TOKEN" in shown
    assert "volumes: /data:/data" in shown
    assert "xyzzy-secret" not in shown


def test_what_is_no_longer_declared_is_said() -> None:
    gone = replace(seen(), site=replace(SITE, sessions={}, transfers={}))
    assert listed("active", of=gone) == "8: STARTED      (['a', 'b'], dtnaas/gct:latest)  gct, not declared any more\n"
    assert listed("active", "8", "services", "a", "mgmt_net", of=gone) == "name: bridge\n"


def test_a_service_that_failed_shows_its_errors() -> None:
    world = applied(replace(SITE, transfers={}), images=("dtnaas/gct:latest",))
    change(world, "a", "lab.gct", state="exited", exit_code=137)
    found = replace(seen(), snapshot=world.observe())
    assert listed("active", "8", "services", "a", "errors", of=found) == "exit code 137\n"
    assert listed("active", of=found).startswith("8: MIXED ")


def test_a_virtual_function_has_the_mac_that_names_give_it() -> None:
    agents = "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}\nagent: unix:///run/{name}.agent\n{NIC}\n" for name in "ab")
    sriov = site(TEXT.replace("driver: macvlan", "driver: sriov") + agents)
    world = applied(replace(SITE, transfers={}), images=("dtnaas/gct:latest",))
    found = replace(seen(), site=sriov, snapshot=world.observe())
    assert listed("active", "8", "services", "a", "data_vfmac", of=found).startswith("02:")
    assert listed("active", "8", "services", "a", "data_vfmac") == "\n"


def test_transfers_are_numbered_as_in_the_talk() -> None:
    assert listed("transfers") == "1:      (a -> b [gridftp])  1T, pending\n"
    assert "source: a:/data/1T" in listed("transfers", "1")


def test_what_files_say_needs_no_endpoint() -> None:
    files = Seen(SITE, NOW, replace(seen().snapshot, endpoints={}))
    assert [name for name in KINDS if asks((name,)) == "nothing"] == ["networks", "profiles", "tools"]
    assert asks(()) == "nothing"
    assert listed(of=files).split() == [f"{name}/" for name in KINDS]
    assert "driver: macvlan" in listed("networks", "net3989", of=files)
    assert "gridftp/" in listed("tools", of=files)


def test_endpoints_show_what_they_answer_and_what_their_files_say() -> None:
    assert "state: answered" in listed("endpoints", "a")
    assert "file: state/endpoints/a.yaml" in listed("endpoints", "a", "request")
    assert (listed("volumes"), listed("paths")) == ("", "")


def test_one_document_has_what_the_lines_have() -> None:
    node = find(tree(seen(), ("active",)), ("active",))
    document = listing_document(("active",), node)
    assert (document["kind"], document["path"], document["type"]) == ("listing", "/active", "folder")
    assert [(item["number"], item["name"], item["type"]) for item in document["entries"]] == [(8, "gct", "folder"), (12, "later", "folder")]
    field = find(tree(seen(), ("active",)), ("active", "8", "state"))
    assert listing_document(("active", "8", "state"), field) == {
        "format_version": 1,
        "kind": "listing",
        "path": "/active/8/state",
        "type": "field",
        "value": "STARTED",
        "entries": [],
    }


def test_nothing_in_a_list_obeys_a_terminal_and_colour_repeats_a_word() -> None:
    hostile = Folder((Entry("x", Field("\x1b[31mred")), Entry("s", Folder(), 1, "1: STARTED      (\x1b]0;title\x07)")))
    assert "\x1b" not in listing_text(hostile, PLAIN)
    coloured = listing_text(hostile, RenderContext(color=True))
    assert "\x1b[32mSTARTED\x1b[0m" in coloured
    assert "\x1b]0" not in coloured
