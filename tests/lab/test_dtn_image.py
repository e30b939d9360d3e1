"""The DTN image as its users meet it: who may log in, which ports and addresses it uses, how it ends, what it transfers."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from tests.lab.docker_command import Docker

pytestmark = pytest.mark.lab
SERVICE = ("--env=CTRL_PORT=30001", "--env=USER_NAME=dtnaas", "--env=DATA_PORTS=50100,50199")
SERVER_COMMAND = "bash -x /etc/grid-security/sshftp </dev/null 2>&1 | grep -o 'exec .*globus-gridftp-server.*'"
SERVER_PORTS = "bash -x /etc/grid-security/sshftp </dev/null 2>&1 | grep -o 'export GLOBUS.*'"
DTNAAS_ID = 31000
LISTENS = "Server listening on 0.0.0.0 port 30001"


@pytest.fixture
def docker(dtn_lab: Lab) -> Iterator[Docker]:
    """The docker command of the first endpoint; what a test leaves there is removed."""
    command = Docker(dtn_lab, "dtn1")
    yield command
    if names := command("ps", "--all", "--quiet").split():
        command("rm", "--force", *names)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A fresh private key with its .pub beside it."""
    path = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def start_service(docker: Docker, *words: str) -> None:
    """A DTN service whose sshd listens."""
    docker.container("service", *SERVICE, *words, "dtn:1")
    docker.wait_for_log("service", LISTENS)


def restart_service(docker: Docker) -> None:
    docker("restart", "service")
    docker.wait_for_log("service", LISTENS, times=2)


def in_service(docker: Docker, script: str) -> str:
    return docker("exec", "service", "bash", "-c", script)


def test_sshd_lets_nobody_in_by_password_and_looks_nothing_up(docker: Docker) -> None:
    start_service(docker)
    settings = in_service(docker, "sshd -T -p 30001").splitlines()
    wanted = {"port 30001", "passwordauthentication no", "kbdinteractiveauthentication no", "usedns no"}
    keys = "authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2"
    assert {*wanted, keys} <= set(settings)


def test_public_key_becomes_the_users_authorized_key(docker: Docker, key: Path) -> None:
    text = key.with_suffix(".pub").read_text().strip()
    start_service(docker, f"--env=PUBLIC_KEY={text}")
    assert in_service(docker, "cat ~dtnaas/.ssh/authorized_keys") == text
    assert in_service(docker, "stat -c '%U %a' ~dtnaas/.ssh ~dtnaas/.ssh/authorized_keys").split() == ["dtnaas", "700", "dtnaas", "600"]


def test_empty_public_key_leaves_the_keys_that_are_there(docker: Docker) -> None:
    start_service(docker, "--env=PUBLIC_KEY=")
    in_service(docker, "echo kept > ~dtnaas/.ssh/authorized_keys")
    restart_service(docker)
    assert in_service(docker, "cat ~dtnaas/.ssh/authorized_keys") == "kept"


def test_user_that_the_image_does_not_know_is_made(docker: Docker) -> None:
    start_service(docker, "--env=USER_NAME=scientist")
    assert in_service(docker, "stat -c %U ~scientist/.ssh") == "scientist"


def test_host_keys_are_made_at_first_start_and_kept(docker: Docker) -> None:
    assert docker("run", "--rm", "dtn:1", "sh", "-c", "ls /etc/ssh | grep -c host_key || true") == "0"
    start_service(docker)
    made = in_service(docker, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    restart_service(docker)
    assert in_service(docker, "cat /etc/ssh/ssh_host_ed25519_key.pub") == made


@pytest.mark.parametrize(
    ("data_ports", "exported"),
    [("50100,50199", "50100,50199"), ("40000,40001,40002", "40000,40002"), ("40000", "40000,40000"), ("", None), ("None", None)],
)
def test_data_ports_limit_both_ends_of_the_data_connections(docker: Docker, data_ports: str, exported: str | None) -> None:
    start_service(docker, f"--env=DATA_PORTS={data_ports}")
    words = in_service(docker, f"{SERVER_PORTS} || true")
    expected = f"export GLOBUS_TCP_PORT_RANGE GLOBUS_TCP_SOURCE_RANGE={exported}"
    assert words == ("" if exported is None else expected)


def test_data_interface_is_used_when_it_is_an_address_of_the_container(docker: Docker) -> None:
    start_service(docker, "--network=host", "--env=DATA_IFACE=10.20.0.11")
    assert in_service(docker, SERVER_COMMAND).endswith("-ssh -data-interface 10.20.0.11")


def test_data_interface_that_is_the_endpoints_public_host_is_not_used(docker: Docker) -> None:
    start_service(docker, "--env=DATA_IFACE=dtn1.example.net")
    assert in_service(docker, SERVER_COMMAND).endswith("-ssh")


def test_arguments_run_instead_of_the_service(docker: Docker) -> None:
    assert docker("run", "--rm", "dtn:1", "echo", "only this") == "only this"


def test_service_with_an_open_session_ends_at_once_when_told(docker: Docker, key: Path) -> None:
    start_service(docker, f"--env=PUBLIC_KEY={key.with_suffix('.pub').read_text()}")
    docker("cp", str(key), "service:/root/key")
    login = "ssh -i /root/key -p 30001 -o StrictHostKeyChecking=no dtnaas@127.0.0.1 'echo in; exec sleep 1000'"
    with subprocess.Popen([*docker.prefix, "exec", "service", "bash", "-c", login], text=True, stdout=subprocess.PIPE) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "in\n"
        docker("stop", "--time=8", "service")
    assert docker.state("service")["ExitCode"] != 137, "it had to be killed"


def test_file_goes_from_one_endpoint_to_the_other_by_gridftp(dtn_lab: Lab, key: Path) -> None:
    services = [Docker(dtn_lab, endpoint.name) for endpoint in dtn_lab.endpoints]
    public, known = key.with_suffix(".pub").read_text(), ""
    for number, docker in enumerate(services, start=101):
        docker("network", "create", "--driver=macvlan", "--internal", "--opt=parent=eth1", "--subnet=10.20.0.0/24", "data")
        address = f"10.20.0.{number}"
        words = ("--publish=30001:30001", f"--env=DATA_IFACE={address}", f"--env=PUBLIC_KEY={public}", "--volume=/data:/data")
        docker("create", "--name=service", "--network=bridge", *SERVICE, *words, "dtn:1")
        docker("network", "connect", f"--ip={address}", "data", "service")
        docker("start", "service")
        docker.wait_for_log("service", LISTENS)
        known += f"[{address}]:30001 {in_service(docker, 'cat /etc/ssh/ssh_host_ed25519_key.pub')}\n"
    source, target = services
    in_service(source, "head -c 100000000 /dev/urandom >/data/source && chown dtnaas /data/source")
    urls = [f"sshftp://dtnaas@10.20.0.{number}:30001/data/{name}" for number, name in ((101, "source"), (102, "copy"))]
    copy = ("--network=container:service", "--user=dtnaas", "--entrypoint=globus-url-copy", "dtn:1", "-p", "4", *urls)
    source("create", "--name=job", *copy)
    subprocess.run([*source.prefix, "cp", "-", "job:/home/dtnaas"], input=home_files(key, known), check=True)
    source("start", "--attach", "job")
    checksums = {in_service(docker, f"md5sum </data/{name}") for docker, name in ((source, "source"), (target, "copy"))}
    assert len(checksums) == 1
    for docker in services:
        docker("rm", "--force", *docker("ps", "--all", "--quiet").split())


def home_files(key: Path, known_hosts: str) -> bytes:
    """The ssh folder of a transfer's user, as a tar that belongs to that user."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in ((".ssh/id_ed25519", key.read_bytes()), (".ssh/known_hosts", known_hosts.encode())):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o600, DTNAAS_ID, DTNAAS_ID
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
