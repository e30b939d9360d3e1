"""A host's picture shows each CPU, function, card and disk with who has it, and says what is not known."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.host_map import CardPlace, CpuPlace, HeldHere, HostMap, NodePlace
from dtnctl.render.pictures.dot import render_dot
from dtnctl.render.pictures.host import host_picture
from dtnctl.render.pictures.host_graph import host_graph
from dtnctl.render.pictures.mermaid import render_mermaid
from dtnctl.render.pictures.svg import standalone
from tests.render.pictures.maps import HOST, large_host
from tests.render.pictures.reading import size_of, titles, words_of

DOCUMENT = standalone(host_picture(HOST))


def test_each_cpu_and_each_function_says_who_has_it() -> None:
    shown = titles(DOCUMENT)
    assert len([title for title in shown if title.startswith("CPU ")]) == 64
    assert {"CPU 2: session climate", "CPU 0: reserved for the host, serves interrupts of data interfaces", "CPU 12: free"} <= set(shown)
    assert {
        "virtual function 1: session ofed-test, network star222",
        "virtual function 5: physics/alice",
        "virtual function 7: free",
    } <= set(shown)


def test_what_can_be_read_without_a_pointer() -> None:
    words = words_of(DOCUMENT)
    for part in (
        "Socket 0 · NUMA node 0",
        "256.00 GiB memory, 191.00 GiB free",
        "32 CPUs: 10 held, 4 reserved, 18 free",
        "100 Gb/s · up",
        "no carrier",
        "MTU 9000 · mlx5_core · 0000:41:00.0 · RDMA mlx5_0",
        "star222 · sriov · VLAN 222",
        "8 of 16 virtual functions: 2 held, 1 of others, 5 free",
        "no virtual functions are made; 16 are possible",
        "INTEL SSDPF2KX038TZ · pcie · exported as scratch",
        "ens1f0np0: 0",
        "reserved for the host",
    ):
        assert part in words, part


def test_the_description_has_what_the_picture_has() -> None:
    words = host_picture(HOST).description
    assert "card ens1f0np0 (100 Gb/s · up) carries star222 with 8 of 16 virtual functions: 2 held, 1 of others, 5 free" in words
    assert "session climate (running) has CPUs 2-7; virtual functions ens1f0np0: 0; networks star222; folders /nvme/climate" in words
    assert "session perfsonar (running) has networks lab17" in words


def test_a_socket_is_named_where_it_says_more_than_its_node() -> None:
    one = HostMap("a", sockets=1, nodes=(NodePlace(0, 0), NodePlace(1, 0), NodePlace(None)))
    words = words_of(standalone(host_picture(one)))
    assert "Socket" not in words
    assert "NUMA node 1" in words
    assert "Without a NUMA node" in words


def test_an_unknown_host_shows_why_and_its_sessions() -> None:
    held = (HeldHere("climate", "unknown"),)
    words = words_of(standalone(host_picture(HostMap("dtn1", unknown="no answer within 10 s", sessions=held))))
    assert "hardware unknown: no answer within 10 s" in words
    assert "climate" in words
    empty = standalone(host_picture(HostMap("dtn1", unknown="no agent")))
    assert "no session has anything here" in words_of(empty)


def test_a_card_that_is_not_there_is_no_card_that_is_down() -> None:
    missing = CardPlace("ens9", is_there=False)
    node = NodePlace(None, cards=(missing, CardPlace("ens8", speed=100_000)))
    words = words_of(standalone(host_picture(HostMap("a", nodes=(node,)))))
    assert "not on the host now" in words
    assert "100 Gb/s · down" in words


def test_two_sessions_on_one_cpu_show() -> None:
    both = replace(HOST.nodes[0], cpus=(CpuPlace(3, ("climate", "ofed-test")),))
    document = standalone(host_picture(replace(HOST, nodes=(both,))))
    assert "CPU 3: session climate and session ofed-test" in titles(document)
    assert "B+" in words_of(document).split()


def test_a_large_host_stays_a_picture_and_counts_what_has_no_room() -> None:
    document = standalone(host_picture(large_host()))
    width, height = size_of(document)
    assert width < 1400
    assert height < 1800
    assert len([title for title in titles(document) if title.startswith("CPU ")]) == 128
    assert len([title for title in titles(document) if title.startswith("virtual function ")]) == 256
    assert "and 16 further sessions" in words_of(document)


def test_graphviz_and_mermaid_get_the_same_host() -> None:
    for text in (render_dot(host_graph(HOST)), render_mermaid(host_graph(HOST))):
        for part in (
            "CPUs 2-7",
            "CPUs 12-15,34-47",
            "VFs 5",
            "1 virtual function, physics/alice",
            "Socket 1 · NUMA node 1",
            "exported as scratch",
        ):
            assert part in text, part
    edges = {(edge.first, edge.second) for edge in host_graph(HOST).edges}
    ids = {node.id: node.lines for node in host_graph(HOST).nodes}
    joined = {(ids[first][0], ids[second][0]) for first, second in edges}
    assert ("climate", "CPUs 2-7") in joined
    assert ("ens1f0np0", "VFs 1") in joined
    assert ("ofed-test", "VFs 1") in joined
    assert ("perfsonar", "ens2f0np0") in joined
    assert ("archive", "nvme4n1") in joined


def test_a_graph_of_a_large_host_is_small_enough_for_github() -> None:
    graph = host_graph(large_host())
    assert len(graph.edges) <= 500
    assert len(render_mermaid(graph)) <= 50_000
    assert ("and 16 further sessions",) in [node.lines for node in graph.nodes]


def test_a_graph_says_that_hardware_is_unknown() -> None:
    assert ("hardware unknown", "no agent") in [node.lines for node in host_graph(HostMap("a", unknown="no agent")).nodes]
