"""What an endpoint of the lab is to its users: an engine on three transports, a data network, and a host that can fail."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import Lab, Login, limits
from tests.lab.docker_command import Docker

pytestmark = pytest.mark.lab
NAMES = ("dtn1", "dtn2")
DATA_NETWORK = ("--driver=macvlan", "--internal", "--opt=parent=eth1", "--subnet=10.20.0.0/24", "data")
RESOURCE_LIMITS = limits().resource_limits


@pytest.fixture
def docker(tiny_lab: Lab) -> Iterator[dict[str, Docker]]:
    """The docker command of each endpoint; what a test leaves there is removed."""
    commands = {name: Docker(tiny_lab, name) for name in NAMES}
    yield commands
    for command in commands.values():
        if names := command("ps", "--all", "--quiet").split():
            command("rm", "--force", *names)
        command("network", "prune", "--force")


@pytest.mark.parametrize("name", NAMES)
def test_engine_answers_on_its_unix_socket(docker: dict[str, Docker], name: str) -> None:
    assert docker[name]("info", "--format={{.Name}}") == name


@pytest.mark.parametrize("name", NAMES)
def test_engine_answers_the_controller_over_mutual_tls(tiny_lab: Lab, name: str) -> None:
    endpoint = tiny_lab.endpoint(name)
    files = [f"--tlscacert={endpoint.tls.ca}", f"--tlscert={endpoint.tls.cert}", f"--tlskey={endpoint.tls.key}"]
    command = ["docker", f"--host={endpoint.tcp_url}", "--tlsverify", *files, "info", "--format={{.Name}}"]
    assert tiny_lab.exec("ctl", command).stdout.strip() == name


@pytest.mark.parametrize("name", NAMES)
def test_engine_answers_the_controller_over_ssh(tiny_lab: Lab, name: str) -> None:
    command = ["docker", f"--host={tiny_lab.endpoint(name).ssh_url}", "info", "--format={{.Name}}"]
    assert tiny_lab.exec("ctl", command).stdout.strip() == name


def test_client_without_a_certificate_is_refused(tiny_lab: Lab) -> None:
    endpoint = tiny_lab.endpoint("dtn1")
    speak = f"openssl s_client -quiet -CAfile {endpoint.tls.ca} -connect {endpoint.control_ip}:2376"
    done = tiny_lab.exec("ctl", ["sh", "-c", f"printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | {speak}"], check=False)
    assert "OK" not in done.stdout
    assert "alert bad certificate" in done.stderr


def test_engines_have_identities_of_their_own(docker: dict[str, Docker]) -> None:
    identities = {command("info", "--format={{.ID}}") for command in docker.values()}
    assert len(identities) == len(NAMES)


def test_containers_of_two_endpoints_meet_on_the_data_network(docker: dict[str, Docker]) -> None:
    for number, name in enumerate(NAMES, start=1):
        docker[name]("network", "create", *DATA_NETWORK)
        docker[name].container("peer", "--network=data", f"--ip=10.20.0.{100 + number}", "tiny:1")
    docker["dtn1"]("exec", "peer", "ping", "-c1", "-W5", "10.20.0.102")
    assert docker["dtn1"]("exec", "peer", "cat", "/sys/class/net/eth0/mtu") == "9000"


def test_published_port_is_reached_by_the_controller(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    serve = "httpd -p 80 -h /etc && echo serving && sleep infinity"
    docker["dtn2"].container("web", "--publish=8080:80", "tiny:1", "sh", "-c", serve)
    docker["dtn2"].wait_for_log("web", "serving")
    fetched = tiny_lab.exec("ctl", ["busybox", "wget", "-q", "-O-", "http://10.10.0.12:8080/passwd"])
    assert fetched.stdout.startswith("root:")


@pytest.mark.parametrize("network", ["bridge", "named"])
def test_lookup_of_an_unknown_name_fails_at_once(docker: dict[str, Docker], network: str) -> None:
    if network == "named":
        docker["dtn1"]("network", "create", network)
    docker["dtn1"].container("asker", f"--network={network}", "tiny:1")
    asked = docker["dtn1"].run("exec", "asker", "nslookup", "nope.example.org")
    assert "NXDOMAIN" in asked.stdout + asked.stderr, "the lab's name server says so; without it nothing answers, and every look-up waits"


def test_power_cut_keeps_containers_files_and_identity(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    engine = docker["dtn1"]
    engine.container("kept", "--volume=/data:/data", "tiny:1")
    engine("exec", "kept", "sh", "-c", "echo word >/data/kept && echo word >/inside")
    identity = engine("info", "--format={{.ID}}")
    tiny_lab.kill_engine("dtn1")
    assert engine.run("info").returncode != 0
    tiny_lab.start_engine("dtn1")
    assert engine.state("kept")["Status"] == "exited"
    engine("start", "kept")
    assert engine("exec", "kept", "cat", "/data/kept", "/inside").split() == ["word", "word"]
    assert engine("info", "--format={{.ID}}") == identity


def test_shut_down_endpoint_comes_back_with_what_restarts_always(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    docker["dtn1"].container("always", "--restart=always", "tiny:1")
    tiny_lab.stop_engine("dtn1")
    assert docker["dtn1"].run("info").returncode != 0
    tiny_lab.start_engine("dtn1")
    assert docker["dtn1"].state("always")["Running"] is True


def test_switching_on_twice_is_the_same_as_once(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    docker["dtn1"].container("running", "tiny:1")
    tiny_lab.start_engine("dtn1")
    assert docker["dtn1"].state("running")["Running"] is True


def test_unplugged_endpoint_neither_answers_nor_refuses(tiny_lab: Lab) -> None:
    knock = ["timeout", "1", "bash", "-c", "echo >/dev/tcp/10.10.0.12/2376"]
    tiny_lab.unplug("dtn2")
    try:
        assert tiny_lab.exec("ctl", knock, check=False).returncode == 124
    finally:
        tiny_lab.plug("dtn2")
    assert tiny_lab.exec("ctl", ["timeout", "10", *knock[2:]], check=False).returncode == 0


@pytest.mark.parametrize("place", ["/data", "/tmp"])
def test_disk_of_an_endpoint_fills_up(docker: dict[str, Docker], place: str) -> None:
    docker["dtn2"].container("writer", "--volume=/data:/data", "tiny:1")
    written = docker["dtn2"].run("exec", "writer", "dd", "if=/dev/zero", f"of={place}/big", "bs=1M", "count=200")
    docker["dtn2"]("exec", "writer", "rm", f"{place}/big")
    assert "No space left on device" in written.stderr


def test_files_of_an_endpoint_can_be_read_from_outside(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    docker["dtn2"]("run", "--rm", "--volume=/data:/data", "tiny:1", "sh", "-c", "echo word >/data/seen")
    assert (tiny_lab.files("dtn2") / "data" / "seen").read_text() == "word\n"


def test_command_on_an_endpoint_sees_the_endpoint(tiny_lab: Lab) -> None:
    assert tiny_lab.exec("dtn2", ["hostname"]).stdout == "dtn2\n"
    assert "10.20.0.12/24" in tiny_lab.exec("dtn2", ["ip", "address", "show", "eth1"]).stdout
    assert tiny_lab.exec("dtn2", ["ls", "/sys/class/net"]).stdout.split()[-3:] == ["eth0", "eth1", "lo"]


def test_command_of_the_controller_keeps_its_pid_folder_and_environment(tiny_lab: Lab) -> None:
    command = tiny_lab.command("ctl", ["sh", "-c", 'echo "$$ $PWD $REQUESTS_CA_BUNDLE $HOME"'])
    environment = {**tiny_lab.environment(), "REQUESTS_CA_BUNDLE": "/as/it/was"}
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate()
        assert output.split() == [str(process.pid), str(Path.cwd()), "/as/it/was", str(tiny_lab.layout.home)]


def test_image_is_pulled_from_the_lab_registry_by_digest(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    registry = tiny_lab.start_registry()
    reference = tiny_lab.push_image("dtn1", "tiny:1", registry, "site/tiny:1")
    try:
        docker["dtn2"]("pull", reference)
        assert docker["dtn2"]("run", "--rm", reference, "echo", "ran") == "ran"
    finally:
        tiny_lab.stop_registry()
    assert "@sha256:" in reference
    assert docker["dtn2"].run("pull", reference).returncode != 0


def test_protected_registry_asks_for_its_password(tiny_lab: Lab, docker: dict[str, Docker]) -> None:
    registry = tiny_lab.start_registry(Login("joe", "secret"), port=5001)
    try:
        reference = tiny_lab.push_image("dtn1", "tiny:1", registry, "tiny:1")
        refused = docker["dtn2"].run("pull", reference)
    finally:
        tiny_lab.stop_registry(5001)
    assert "no basic auth credentials" in refused.stderr


@pytest.mark.skipif(RESOURCE_LIMITS is None, reason="this machine gives containers all they ask for")
def test_container_that_asks_for_more_than_this_machine_may_give_starts(docker: dict[str, Docker]) -> None:
    asked = ["--privileged", "--ulimit=memlock=-1", "--ulimit=nofile=1000000:1000000", "--ulimit=core=-1"]
    docker["dtn1"].container("greedy", *asked, "tiny:1")
    assert docker["dtn1"]("inspect", "--format={{.HostConfig.Privileged}}", "greedy") == "true"


@pytest.mark.skipif(RESOURCE_LIMITS is not None, reason=str(RESOURCE_LIMITS))
def test_container_gets_the_limits_it_asks_for(docker: dict[str, Docker]) -> None:
    assert docker["dtn1"]("run", "--rm", "--ulimit=memlock=-1", "tiny:1", "sh", "-c", "ulimit -l") == "unlimited"


@pytest.mark.parametrize("transport", ["unix", "tcp", "ssh"])
def test_endpoint_yaml_names_the_engine_and_its_networks(tiny_lab: Lab, transport: str) -> None:
    endpoint = tiny_lab.endpoint("dtn1")
    urls = {"unix": endpoint.unix_url, "tcp": endpoint.tcp_url, "ssh": endpoint.ssh_url}
    read = yaml.safe_load(tiny_lab.endpoint_yaml("dtn1", transport))  # type: ignore[arg-type]  # one of the three
    tls = read.pop("tls", None)
    assert read == {
        "docker": urls[transport],
        "host": "10.10.0.11",
        "interfaces": {"data": "eth1"},
        "allow": {"mounts": ["/data"]},
    }
    assert (tls is not None) == (transport == "tcp")
