"""A real engine gives containers the VF that is reserved for them, and takes it back, whatever is restarted or killed meanwhile."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from dtnctl.model.actions import CreateNetwork
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import NetworkSpec, Subnet, Wanted
from dtnctl.model.site import Endpoint
from dtnctl.providers.docker.translate_networks import network_body
from lab import Lab, unavailable
from tests.agent.engine.driver_lab import ENDPOINT, GATEWAY, SUBNET, DriverLab
from tests.docker_clients import connect
from tests.providers.backends import SITE, labels_of

pytestmark = [pytest.mark.lab, pytest.mark.slow]
MAC = "02:00:00:00:00:0a"


@pytest.fixture(scope="module")
def driver_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriverLab]:
    if reason := unavailable():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("driver")
    with Lab(folder / "lab", 1, image="tiny") as lab:
        place = DriverLab(lab, folder / "card")
        try:
            place.ask(do="set-vf-count", count=4)
            yield place
        finally:
            place.close()


@pytest.fixture
def place(driver_lab: DriverLab) -> Iterator[DriverLab]:
    """Four VFs that nobody has, and an agent that runs; the same afterwards, or the test fails."""
    before = driver_lab.table()
    yield driver_lab
    assert driver_lab.kernel.poll() is None, driver_lab.kernel_log.read_text()
    if driver_lab.agent is None:
        driver_lab.start_agent()
    for what in ("container", "network"):
        names = driver_lab.docker(what, "ls", "--quiet", *(["--all"] if what == "container" else ["--filter=driver=dtnctl"])).split()
        for name in names:
            driver_lab.docker(what, "rm", *(["--force"] if what == "container" else []), name)
    for vf in driver_lab.ledger()["vfs"]:
        answer = driver_lab.ask(do="release-vf", index=vf["index"])
        assert not answer.startswith("refused"), answer
    assert [driver_lab.interface(index).get("ifname") for index in range(4)] == ["pf0v0", "pf0v1", "pf0v2", "pf0v3"]
    assert driver_lab.table() == before
    assert {key: driver_lab.ledger()[key] for key in ("vfs", "networks", "endpoints")} == {"vfs": [], "networks": [], "endpoints": []}


def has_its_vf(place: DriverLab, name: str, mac: str, host: int = 5, mtu: int = 1500) -> bool:
    """Whether the container has its one interface with all that belongs to it, and reaches the other end of the wire."""
    shown = place.inside(name, "ip", "addr", "show", "dev", "eth0")
    names = place.inside(name, "ls", "/sys/class/net").split()
    assert (names, f"mtu {mtu} " in shown, f"link/ether {mac}" in shown) == (["eth0", "lo"], True, True), shown
    assert f"inet 10.77.0.{host}/24" in shown, shown
    assert "1 packets received" in place.inside(name, "ping", "-c", "1", "-W", "5", GATEWAY)
    return True


def test_a_container_starts_with_its_vf_as_it_was_reserved(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC, vlan=100, trust=True, mtu=1400)
    place.network(mtu="1300")
    place.run("one", place.attached(pci, 5))
    assert has_its_vf(place, "one", MAC, mtu=1400)
    assert "inet 10.77.0.5/24" in place.docker("logs", "one").partition("up")[0], "it had it before its process started"
    assert "default" not in place.inside("one", "ip", "route"), "a route only where it was asked for"
    assert (place.table()["0"]["vlan"], place.table()["0"]["mac"]) == (100, MAC)
    shown = json.loads(place.docker("inspect", "--format={{json .NetworkSettings.Networks.data}}", "one"))
    assert (shown["MacAddress"], shown["IPAddress"], shown["Gateway"]) == (MAC, "10.77.0.5", "")
    assert place.interface(0) == {}
    refused = place.ask(do="release-vf", index=0)
    container = place.docker("inspect", "--format={{.Id}}", "one")
    assert (refused.startswith("refused"), container[:12] in refused) == (True, True), refused


def test_a_removed_container_leaves_the_interface_on_the_host_under_its_own_name(place: DriverLab) -> None:
    pci = place.reserve(1, mtu=1400)
    place.network()
    place.run("one", place.attached(pci, 5))
    place.docker("rm", "--force", "one")
    link = place.interface(1)
    assert (link["ifname"], "UP" in link["flags"]) == ("pf0v1", False)


def test_the_network_says_mtu_and_default_route_also_after_the_agent_was_killed(place: DriverLab) -> None:
    pci = place.reserve(0)
    place.network(mtu="1300", default_route="yes")
    place.end_agent(signal.SIGKILL)
    place.start_agent()
    place.run("one", place.attached(pci, 5))
    mac = place.inside("one", "cat", "/sys/class/net/eth0/address")
    assert has_its_vf(place, "one", mac, mtu=1300)
    assert f"default via {GATEWAY} dev eth0" in place.inside("one", "ip", "route")


def test_a_restarted_container_has_its_vf_again_as_reserved(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC, vlan=100)
    place.network()
    place.run("one", place.attached(pci, 5), "--cap-add=NET_ADMIN")
    place.inside("one", "ip", "link", "set", "eth0", "mtu", "1000")
    place.docker("restart", "--time=0", "one")
    assert has_its_vf(place, "one", MAC)


def test_a_killed_container_that_is_to_be_restarted_has_its_vf_again(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.run("one", place.attached(pci, 5), "--restart=always")
    place.docker.wait_for_log("one", "up")
    place.kill("one")
    place.docker.wait_for_log("one", "up", times=2)
    assert has_its_vf(place, "one", MAC)


def test_a_killed_container_gives_its_vf_to_the_one_that_takes_its_place(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.run("one", place.attached(pci, 5))
    place.kill("one")
    place.docker("wait", "one")
    place.run("two", place.attached(pci, 6))
    assert has_its_vf(place, "two", MAC, host=6)


def test_a_killed_agent_is_missed_by_nobody_once_it_is_back(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.run("one", place.attached(pci, 5))
    place.end_agent(signal.SIGKILL)
    assert has_its_vf(place, "one", MAC), "a container that runs does not need the agent"
    place.start_agent()
    place.docker("restart", "--time=0", "one")
    assert has_its_vf(place, "one", MAC)
    place.end_agent(signal.SIGTERM)
    place.start_agent()
    place.docker("stop", "--time=0", "one")
    assert place.interface(0)["ifname"] == "pf0v0"


def test_a_container_that_stops_while_the_agent_is_away_starts_again_when_it_is_back(place: DriverLab) -> None:
    """The engine asks each of its three calls for 15 s, gives up, and takes the interface back all the same."""
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.run("one", place.attached(pci, 5))
    place.end_agent(signal.SIGKILL)
    place.docker("stop", "--time=0", "one")
    assert place.interface(0)["ifname"] == "pf0v0"
    place.start_agent()
    place.docker("start", "one")
    assert has_its_vf(place, "one", MAC)


def test_without_an_agent_a_container_does_not_start_and_the_engine_says_so(place: DriverLab) -> None:
    pci = place.reserve(0)
    place.network()
    place.docker("create", "--name=one", place.attached(pci, 5), "tiny:1", "sleep", "1000")
    place.end_agent(signal.SIGKILL)
    since = time.monotonic()
    said = place.docker.run("start", "one")
    assert (said.returncode, "dtnctl.sock" in said.stderr, "connection refused" in said.stderr) == (1, True, True), said.stderr
    assert time.monotonic() - since > 10, "it tries for a while, long enough for an agent that is being replaced"
    assert place.interface(0)["ifname"] == "pf0v0"


def test_an_agent_that_comes_back_while_the_engine_waits_is_in_time(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.docker("create", "--name=one", place.attached(pci, 5), "tiny:1", "sleep", "1000")
    place.end_agent(signal.SIGKILL)
    log = place.lab.files(ENDPOINT) / "run/lab/engine.log"
    before = len(log.read_bytes())
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(place.docker, "start", "one")
        deadline = time.monotonic() + 10
        while b"CreateEndpoint" not in log.read_bytes()[before:] and time.monotonic() < deadline:
            time.sleep(0.05)
        place.start_agent()
        started.result()
    assert has_its_vf(place, "one", MAC)


def test_after_the_engine_was_stopped_containers_have_their_vfs_without_anybody_doing_anything(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC, vlan=100)
    place.network(default_route="yes")
    place.run("one", place.attached(pci, 5), "--restart=always")
    place.docker.wait_for_log("one", "up")
    place.lab.stop_engine(ENDPOINT)
    place.end_agent()  # it ended with the endpoint
    place.lab.start_engine(ENDPOINT, before=place.start_agent)
    place.docker.wait_for_log("one", "up", times=2)
    assert has_its_vf(place, "one", MAC)
    assert place.table()["0"]["vlan"] == 100


def test_after_the_engine_was_killed_with_its_containers_they_have_their_vfs_again(place: DriverLab) -> None:
    """Nobody moves the interfaces then: the kernel brings them back from the namespaces that are gone, under another name."""
    pci = place.reserve(0, mac=MAC, vlan=100)
    place.network()
    place.run("one", place.attached(pci, 5), "--restart=always")
    place.docker.wait_for_log("one", "up")
    place.lab.kill_engine(ENDPOINT)
    place.end_agent()
    place.lab.start_engine(ENDPOINT, before=place.start_agent)
    place.docker.wait_for_log("one", "up", times=2)
    assert has_its_vf(place, "one", MAC)
    place.docker("rm", "--force", "one")
    assert place.interface(0)["ifname"] == "pf0v0"


def test_a_reboot_gives_containers_their_vfs_again(place: DriverLab) -> None:
    """The card has no VFs then, and its table is empty; the agent makes both again before the engine starts containers."""
    pci = place.reserve(0, mac=MAC, vlan=100)
    place.network()
    place.run("one", place.attached(pci, 5), "--restart=always")
    place.docker.wait_for_log("one", "up")
    place.lab.kill_engine(ENDPOINT)
    place.end_agent()
    place.lab.start_engine(ENDPOINT, before=lambda: place.start_agent("after-reboot"))
    place.docker.wait_for_log("one", "up", times=2)
    assert has_its_vf(place, "one", MAC)
    assert (place.table()["0"]["vlan"], place.table()["0"]["mac"]) == (100, MAC)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--network=data"], "names no virtual function (endpoint option dtnctl.vf)"),
        (["--network=name=data,driver-opt=dtnctl.vf=0000:41:10.3"], "0000:41:10.3 is not reserved on this host"),
    ],
)
def test_what_is_wrong_with_a_container_is_told_in_the_engines_error(place: DriverLab, options: list[str], told: str) -> None:
    place.network()
    place.reserve(0)
    said = place.docker.run("run", "--detach", *options, "tiny:1", "sleep", "1000")
    assert said.returncode != 0
    assert told in said.stderr, said.stderr


def test_a_vf_that_a_container_has_is_not_given_to_a_second_one(place: DriverLab) -> None:
    pci = place.reserve(0, mac=MAC)
    place.network()
    place.run("one", place.attached(pci, 5))
    said = place.docker.run("run", "--detach", "--name=two", place.attached(pci, 6), "tiny:1", "sleep", "1000")
    container = place.docker("inspect", "--format={{.Id}}", "one")
    assert f"another network namespace (container {container[:12]})" in said.stderr, said.stderr
    assert has_its_vf(place, "one", MAC)
    place.docker("rm", "--force", "two")
    place.docker("restart", "--time=0", "one")
    assert has_its_vf(place, "one", MAC), "the second one's failure took nothing from it"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pf": "nix"}, "there is no such interface"),
        ({"mtu": "large"}, "dtnctl.mtu: a number"),
        ({"default_route": "maybe"}, "yes or no"),
        ({"colour": "red"}, "unknown network option dtnctl.colour"),
    ],
)
def test_a_network_with_wrong_options_is_not_made(place: DriverLab, options: dict[str, str], told: str) -> None:
    words = [f"--opt=dtnctl.{key}={value}" for key, value in {"pf": "pf0", **options}.items()]
    said = place.docker.run("network", "create", "--driver=dtnctl", *words, "wrong")
    assert (said.returncode != 0, told in said.stderr) == (True, True), said.stderr


def test_a_network_that_the_engine_still_makes_for_a_killed_program_is_waited_for(place: DriverLab) -> None:
    """The engine goes on asking an agent that is away; meanwhile it holds the addresses and shows no network."""
    network = NetworkSpec("sriov", subnets=(Subnet(SUBNET, GATEWAY),), pf="pf0")
    action = CreateNetwork("data", network, labels_of("data", kind="network"))
    place.end_agent()
    socket_path = place.lab.endpoint(ENDPOINT).socket
    engine = connect(
        ENDPOINT,
        Endpoint(docker=parse_engine(f"unix://{socket_path}"), host="127.0.0.1"),
        site=SITE,
        registries={},
        read_only=False,
        root=Path("/"),
    )
    begin_and_die(socket_path, action)
    with closing(engine), ThreadPoolExecutor(1) as other:
        making = other.submit(engine.perform, action)
        time.sleep(1)  # it has been refused meanwhile
        place.start_agent()
        making.result(timeout=60)
        assert [seen.name for seen in engine.observe(Wanted()).networks] == ["data"]


def begin_and_die(socket_path: Path, action: CreateNetwork) -> None:
    """Ask the engine for the network, and be gone before it answers."""
    body = json.dumps(network_body(action.network, action.spec, action.labels))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(socket_path))
        head = (
            f"POST /v1.41/networks/create HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall((head + body).encode())
        time.sleep(0.5)
