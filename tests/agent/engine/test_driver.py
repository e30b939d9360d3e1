"""The engine's calls, one by one: what they are answered, what is remembered, and how the socket behaves."""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.audit import Audit
from dtn_agent.engine.driver import NetworkDriver
from dtn_agent.engine.driver_socket import MOST_BYTES, DriverSocket
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol.vfs import ConfigureVf, ReleaseVf
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions

from tests.agent.veth_card import vf_pci

MAC = "02:00:00:00:00:0a"


@pytest.fixture
def driver(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> NetworkDriver:
    """A driver, and VF 0 reserved with a MAC, VF 1 without."""
    card.tree.write_count("pf0", 2)
    for index, mac in ((0, MAC), (1, None)):
        vfs.configure(ConfigureVf(site="play", session="run", network="data", pf="pf0", index=index, mac=mac))
    return NetworkDriver(ledger, vfs)


def call(driver: NetworkDriver, method: str, **request: Any) -> dict[str, Any]:
    answer = driver.answer(f"NetworkDriver.{method}", request)
    assert answer is not None
    return answer


def network(driver: NetworkDriver, **options: str) -> dict[str, Any]:
    generic = {f"dtnctl.{key}": value for key, value in {"pf": "pf0", **options}.items()}
    pools = {
        "IPv4Data": [{"Pool": "10.77.0.0/24", "Gateway": "10.77.0.1/24"}],
        "IPv6Data": [{"Pool": "fd77::/64", "Gateway": "fd77::1/64"}],
    }
    return call(driver, "CreateNetwork", NetworkID="net", Options={"com.docker.network.generic": generic}, **pools)


def endpoint(driver: NetworkDriver, pci: str = vf_pci(0), mac: str = "", number: str = "place") -> dict[str, Any]:
    interface = {"Address": "10.77.0.5/24", "MacAddress": mac}
    return call(driver, "CreateEndpoint", NetworkID="net", EndpointID=number, Options={"dtnctl.vf": pci}, Interface=interface)


def join(driver: NetworkDriver, number: str = "place") -> dict[str, Any]:
    return call(driver, "Join", NetworkID="net", EndpointID=number, SandboxKey="/run/docker/netns/x", Options={})


@pytest.mark.lab
def test_what_it_is_and_can_do(driver: NetworkDriver) -> None:
    assert driver.answer("Plugin.Activate", {}) == {"Implements": ["NetworkDriver"]}
    assert call(driver, "GetCapabilities") == {"Scope": "local", "ConnectivityScope": "local"}
    assert driver.answer("NetworkDriver.AllocateNetwork", {}) is None, "calls that came later are told apart from those that failed"


@pytest.mark.lab
def test_a_joining_container_is_told_its_interface_and_no_gateway(driver: NetworkDriver) -> None:
    assert network(driver) == {}
    assert endpoint(driver) == {"Interface": {"MacAddress": MAC}}
    assert join(driver) == {"InterfaceName": {"SrcName": "pf0v0", "DstPrefix": "eth"}, "DisableGatewayService": True}
    assert call(driver, "EndpointOperInfo", NetworkID="net", EndpointID="place") == {"Value": {"dtnctl.vf": vf_pci(0)}}


@pytest.mark.lab
def test_gateways_are_told_only_where_a_default_route_is_asked_for(driver: NetworkDriver) -> None:
    network(driver, default_route="yes")
    endpoint(driver)
    assert {key: value for key, value in join(driver).items() if key.startswith("Gateway")} == {
        "Gateway": "10.77.0.1",
        "GatewayIPv6": "fd77::1",
    }


@pytest.mark.lab
def test_a_mac_is_answered_only_if_the_engine_brought_none(driver: NetworkDriver, card: VfHardware) -> None:
    network(driver)
    assert endpoint(driver, mac=MAC) == {"Interface": {}}
    own = card.interface(vf_pci(1))
    assert own is not None
    assert endpoint(driver, vf_pci(1)) == {"Interface": {"MacAddress": own.mac}}
    assert endpoint(driver, vf_pci(1), mac="02:00:00:00:00:77") == {"Interface": {}}, "no MAC was asked for: the card decides"


@pytest.mark.lab
def test_a_mac_that_the_card_would_refuse_is_refused_with_the_reason(driver: NetworkDriver, ledger: Ledger) -> None:
    network(driver)
    told = endpoint(driver, mac="02:00:00:00:00:77")["Err"]
    assert "the container wants the MAC 02:00:00:00:00:77" in told
    assert f"its virtual function {vf_pci(0)} has {MAC}" in told
    assert ledger.read().endpoints == ()


@pytest.mark.lab
def test_a_vf_of_another_pf_is_refused(driver: NetworkDriver, ledger: Ledger) -> None:
    network(driver)
    ledger.write(lambda held: held.model_copy(update={"networks": (held.networks[0].model_copy(update={"pf": "pf9"}),)}))
    assert endpoint(driver)["Err"] == f"dtnctl: the virtual function {vf_pci(0)} is one of pf0, and the network is on pf9"


@pytest.mark.lab
def test_what_the_agent_does_not_know_is_told_with_the_way_out(driver: NetworkDriver) -> None:
    assert endpoint(driver)["Err"] == "dtnctl: the agent does not know the network net; remove it and run dtnctl apply"
    network(driver)
    assert join(driver)["Err"] == "dtnctl: the agent does not know the endpoint place; stop the container and start it again"


@pytest.mark.lab
def test_calls_that_are_repeated_change_nothing(driver: NetworkDriver, ledger: Ledger) -> None:
    for _ in range(2):
        network(driver, mtu="1400")
        endpoint(driver)
        join(driver)
    held = ledger.read()
    assert (len(held.networks), len(held.endpoints)) == (1, 1)
    for _ in range(2):
        assert call(driver, "Leave", NetworkID="net", EndpointID="place") == {}
        assert call(driver, "DeleteEndpoint", NetworkID="net", EndpointID="place") == {}
        assert call(driver, "DeleteNetwork", NetworkID="net") == {}
    held = ledger.read()
    assert (held.networks, held.endpoints) == ((), ())


def audits(output: io.StringIO) -> list[tuple[str, str, str, bool | None]]:
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert {(line["event"], line["who"], line["from"]) for line in lines} <= {("audit", "engine", "/run/plugin.sock")}
    return [(line["request"]["do"], line["request"].get("vf", ""), line["result"], line["changed"]) for line in lines]


@pytest.mark.lab
def test_every_change_that_the_engine_asks_for_has_its_line_and_what_was_so_already_has_none(driver: NetworkDriver) -> None:
    output, vf = io.StringIO(), vf_pci(0)
    driver.audit = Audit(Lines(output), "engine", "/run/plugin.sock")
    for _ in range(2):
        network(driver)
        endpoint(driver)
    join(driver)
    link = driver.vfs.hardware.interface(vf)
    assert link is not None
    driver.vfs.hardware.links.rename(link, "eth0")  # as it may come back
    for _ in range(2):
        call(driver, "DeleteEndpoint", NetworkID="net", EndpointID="place")
        call(driver, "DeleteNetwork", NetworkID="net")
    assert audits(output) == [
        ("create-network", "", "done", True),
        ("create-endpoint", vf, "done", True),
        ("join", vf, "done", True),
        ("delete-endpoint", vf, "done", True),
        ("take-back", vf, "done", True),
        ("delete-network", "", "done", True),
    ]


@pytest.mark.lab
def test_what_the_engine_is_refused_has_its_line_too(driver: NetworkDriver, card: VfHardware) -> None:
    output = io.StringIO()
    network(driver)
    endpoint(driver)
    driver.audit = Audit(Lines(output), "engine", "/run/plugin.sock")
    join(driver, "unknown")
    call(driver, "EndpointOperInfo", NetworkID="net", EndpointID="unknown")  # changes nothing
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.rename(link, "eth0")
    (card.tree.sys / "refused").write_text("mac")
    card.tree.write_count("pf0", 0)
    card.tree.write_count("pf0", 2)  # the table is that of a new card
    call(driver, "DeleteEndpoint", NetworkID="net", EndpointID="place")
    assert audits(output) == [
        ("join", "", "not-found", None),
        ("delete-endpoint", vf_pci(0), "done", True),
        ("take-back", vf_pci(0), "failed", None),
    ]


@pytest.mark.lab
def test_a_vf_that_is_lent_anew_leaves_no_endpoints_of_containers_that_were_killed(driver: NetworkDriver, ledger: Ledger) -> None:
    network(driver)
    for number in ("killed", "killed-too", "place"):
        endpoint(driver, number=number)
    assert len(ledger.read().endpoints) == 3, "until the interface is lent one of them may have it"
    assert "Err" not in join(driver)
    assert [held.id for held in ledger.read().endpoints] == ["place"]


@pytest.mark.lab
def test_a_released_vf_takes_its_endpoints_along(driver: NetworkDriver, vfs: VirtualFunctions, ledger: Ledger) -> None:
    network(driver)
    endpoint(driver)
    vfs.release(ReleaseVf(site="play", pf="pf0", index=0))
    assert ledger.read().endpoints == ()
    assert "is not reserved" in endpoint(driver)["Err"]


@pytest.mark.lab
def test_a_ledger_that_cannot_be_read_is_told_and_not_overwritten(driver: NetworkDriver, ledger: Ledger) -> None:
    ledger.path.write_text("{ not ours")
    assert "Err" in network(driver)
    assert ledger.path.read_text() == "{ not ours"


# --- the socket ------------------------------------------------------------------------------------------------------


def ask(path: Path, method: str, body: bytes = b"", length: int | None = None) -> tuple[int, Any]:
    """One call over the socket: the status, and the document."""
    connection = http.client.HTTPConnection("driver", timeout=10)
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(10)
        plug.connect(str(path))
        connection.sock = plug
        connection.request("POST", f"/{method}", body, {"Content-Length": str(len(body) if length is None else length)})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def echo(method: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Answers what it was asked; there is no such call as `nix`."""
    return None if method == "nix" else {"method": method, "asked": request["word"] if method == "word" else dict(request)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plugins/dtnctl.sock"


def test_a_call_is_answered_with_a_document(path: Path) -> None:
    with DriverSocket(echo, path):
        assert ask(path, "Plugin.Activate") == (200, {"method": "Plugin.Activate", "asked": {}})
        assert ask(path, "call", b'{"a": 1}') == (200, {"method": "call", "asked": {"a": 1}})
        assert ask(path, "null", b"null")[0] == 200
        assert path.stat().st_mode & 0o777 == 0o600, "only root may call"


def test_what_is_no_call_is_refused_and_the_next_is_answered(path: Path) -> None:
    with DriverSocket(echo, path):
        assert ask(path, "nix")[0] == 404
        assert ask(path, "call", b"not json")[0] == 400
        assert ask(path, "call", b"[1]")[0] == 400
        assert ask(path, "word", b"{}") == (400, {"Err": "'word' is missing"})
        assert ask(path, "call", b"", MOST_BYTES + 1)[0] == 413
        assert ask(path, "call", b"{}")[0] == 200


def test_the_place_of_a_killed_one_is_taken_and_an_ended_one_leaves_none(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with socket.socket(socket.AF_UNIX) as killed_earlier:
        killed_earlier.bind(str(path.with_name(f".{path.name}")))
    with DriverSocket(echo, path):
        assert ask(path, "call")[0] == 200
    assert list(path.parent.iterdir()) == []


def test_one_that_was_never_started_leaves_nothing_and_disturbs_none(path: Path) -> None:
    with DriverSocket(echo, path):
        DriverSocket(echo, path).stop()
        assert list(path.parent.iterdir()) == [path]
        assert ask(path, "call")[0] == 200
