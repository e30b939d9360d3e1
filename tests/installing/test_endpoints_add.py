"""Adding an endpoint: what is decided before anything is done, and the whole of it on a real sshd."""

from __future__ import annotations

import contextlib
import grp
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import psutil
import pytest

from dtnctl.errors import EngineError, UsageError
from dtnctl.installing import certificates
from dtnctl.installing.endpoints_add import (
    AddRequest,
    agent_text,
    check_host,
    describe,
    endpoint_of,
    install_command,
    parse_look,
    server_names,
    where,
)
from dtnctl.installing.ssh_scripts import remote_of
from dtnctl.installing.wheel import agent_requirements, pack, wheel_of_ourselves
from dtnctl.model.agent_addresses import parse_agent
from dtnctl.repository.edit import Repository, endpoint_text, write_endpoint
from dtnctl.repository.starter import FILES
from tests.agent.server.serving import FACTS
from tests.free_ports import free_port
from tests.installing.test_certificates import NOW
from tests.providers import sshd
from tests.runtime.program import dtnctl

CLONE = Path(__file__).parents[2]
LOOK = "Welcome to dtn3\nroot=sudo\npython=/usr/bin/python3\nsystemd=yes\nname=dtn3\nname=dtn3.example.net\ncertificate=QUJD\n"


def request(**fields: object) -> AddRequest:
    return AddRequest("dtn3", remote_of("dtn@dtn3"), "ssh://dtn@dtn3", **fields)  # type: ignore[arg-type]  # each has the type of its field


def test_a_look_at_a_host_is_read_past_its_greeting() -> None:
    found = parse_look(LOOK)
    assert (found.root, found.python, found.has_systemd) == ("sudo", "/usr/bin/python3", True)
    assert (found.names, found.certificate) == (("dtn3", "dtn3.example.net"), b"ABC")
    assert install_command(found) == "sudo -n sh ./install-agent.sh /usr/bin/python3"


def test_all_that_a_host_lacks_is_said_at_once() -> None:
    with pytest.raises(EngineError) as raised:
        check_host(parse_look("root=\npython=\nname=dtn3\n"), request())
    assert "the login is not root" in str(raised.value)
    assert "there is no Python from 3.11 on" in str(raised.value)


def test_the_agents_url_is_where_ssh_goes_or_what_was_typed() -> None:
    assert agent_text(request(agent="https://203.0.113.7:6051/")) == "https://203.0.113.7:6051"
    assert (
        agent_text(AddRequest("x", remote_of("root@192.0.2.1"), "ssh://root@192.0.2.1", listen="0.0.0.0:6000")) == "https://192.0.2.1:6000"
    )
    assert agent_text(AddRequest("x", remote_of("ssh://root@[fd00::1]:2222"), "ssh://root@x")) == "https://[fd00::1]:5050"


def test_a_certificate_is_for_the_urls_host_and_the_hosts_own_names() -> None:
    assert server_names(parse_agent("https://192.0.2.1:5050"), parse_look(LOOK)) == ("192.0.2.1", "dtn3", "dtn3.example.net")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"agent": "http://dtn3"}, "is not an agent's address"),
        ({}, "tcp:// needs `tls:`"),
        ({"agent": "ssh", "listen": "0.0.0.0:6000"}, "--listen is for an agent on https://; --agent ssh needs no port"),
        ({"group": "dtn"}, "--group is for an agent on a unix socket"),
        ({"agent": "unix:///run/dtnctl/agent.sock"}, "is reached on this machine"),
    ],
)
def test_what_a_file_may_not_say_is_known_before_anything_is_done(fields: dict[str, str], sentence: str) -> None:
    typed = AddRequest("dtn3", remote_of("dtn@dtn3"), "tcp://dtn3:2376" if not fields else "ssh://dtn@dtn3", **fields)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=sentence):
        endpoint_of(typed)


def test_a_host_is_described_in_one_line() -> None:
    from dtn_agent.protocol import Host

    assert describe(Host(version=1, agent="0.1.0", facts=FACTS)) == "dtn1, 4 CPUs, 0 GiB, interfaces none"


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: demo\n")
    return Repository(tmp_path, "state", NOW)


ENDPOINT, _ = endpoint_of(request(interfaces={"data": "ens1f0"}, agent="https://dtn3:5050"))
AGENT = """\
agent: https://dtn3:5050
agent_tls:
  ca: ".secrets/agent-ca.pem"
  cert: ".secrets/agent-client.pem"
  key: ".secrets/agent-client-key.pem"
"""


def test_a_new_endpoints_file_says_what_was_typed(repository: Repository) -> None:
    (repository.root / "state/networks").mkdir()
    (repository.root / "state/networks/data.yaml").write_text("driver: bridge\n")
    write_endpoint(repository, "dtn3", ENDPOINT)
    text = (repository.root / "state/endpoints/dtn3.yaml").read_text()
    assert text == f"docker: ssh://dtn@dtn3\n{AGENT}interfaces:\n  data: ens1f0\n" == endpoint_text(repository, ENDPOINT)
    assert repository.site().endpoints["dtn3"].value == ENDPOINT


def test_a_file_that_is_there_keeps_what_it_says_and_gets_the_agent(repository: Repository) -> None:
    file = repository.root / "state/endpoints/dtn3.yaml"
    file.parent.mkdir()
    file.write_text("# ours\ndocker: unix:///run/docker.sock  # by hand\nhost: dtn3\nallow:\n  mounts: [/data]\n")
    edit = write_endpoint(repository, "dtn3", ENDPOINT)
    text = file.read_text()
    assert text.startswith("# ours\ndocker: unix:///run/docker.sock  # by hand\nhost: dtn3\nagent: https://dtn3:5050\n")
    assert repository.site().endpoints["dtn3"].value.agent_tls == ENDPOINT.agent_tls
    assert "has its agent now" in edit.sentences[0]
    assert "says so already" in write_endpoint(repository, "dtn3", ENDPOINT).sentences[0]
    assert file.read_text() == text


def test_an_agent_through_ssh_has_no_certificates_in_its_file(repository: Repository) -> None:
    endpoint, agent = endpoint_of(request(agent="ssh"))
    write_endpoint(repository, "dtn3", endpoint)
    assert (repository.root / "state/endpoints/dtn3.yaml").read_text() == "docker: ssh://dtn@dtn3\nagent: ssh\n"
    assert where(endpoint, agent) == "on /run/dtnctl/agent.sock, through ssh://dtn@dtn3"
    assert "says so already" in write_endpoint(repository, "dtn3", endpoint).sentences[0]


def test_an_agent_through_ssh_is_added_to_a_file_that_is_there(repository: Repository) -> None:
    file = repository.root / "state/endpoints/dtn3.yaml"
    file.parent.mkdir()
    file.write_text("docker: ssh://dtn@dtn3\n")
    write_endpoint(repository, "dtn3", endpoint_of(request(agent="ssh:/run/other.sock"))[0])
    assert file.read_text() == "docker: ssh://dtn@dtn3\nagent: ssh:/run/other.sock\n"


def test_a_file_that_names_another_agent_is_left_alone(repository: Repository) -> None:
    file = repository.root / "state/endpoints/dtn3.yaml"
    file.parent.mkdir()
    file.write_text("docker: ssh://dtn@dtn3\nagent: https://other\nagent_token_env: T\n")
    with pytest.raises(UsageError, match=r"state/endpoints/dtn3.yaml:2 says another `agent:`"):
        write_endpoint(repository, "dtn3", ENDPOINT)
    assert "https://other" in file.read_text()


# --- the wheel --------------------------------------------------------------------------------------------------------


def test_a_wheel_of_what_runs_has_both_programs_and_is_always_the_same(tmp_path: Path) -> None:
    name, content = wheel_of_ourselves()
    assert wheel_of_ourselves() == (name, content)
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        names = wheel.namelist()
    assert {"dtn_agent/dtn-agent.service", "dtn_agent/protocol/resources.py", "dtnctl/installing/install-agent.sh"} <= set(names)
    assert {f"dtnctl/repository/starter_site/{file}" for file in FILES} <= set(names)
    assert not [item for item in names if "__pycache__" in item]


def test_a_dtn_gets_what_the_agent_needs_and_no_sdk() -> None:
    assert [item.partition(">")[0] for item in agent_requirements()] == ["fastapi", "psutil", "pydantic", "pyroute2", "uvicorn"]


# --- the whole of it --------------------------------------------------------------------------------------------------

HIDDEN = ("/opt", "/var/lib", "/etc/systemd/system")


@dataclass
class Machine:
    """What ssh reaches: this machine, with folders of its own where an agent is installed, and a stand-in for systemd."""

    server: sshd.Server
    root: Path
    port: int

    @property
    def systemd(self) -> Path:
        return self.root / "systemd"

    def calls(self) -> list[str]:
        path = self.systemd / "calls"
        found = path.read_text().split()
        path.unlink()
        return found


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of the packages that are installed here: an index is not needed, and a host without one is what is tried."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    waiting, done = ["fastapi", "psutil", "pydantic", "pyroute2", "uvicorn"], set[str]()
    while waiting:
        found = distribution(waiting.pop())
        if found.name not in done:
            done.add(found.name)
            write_wheel(folder, found.name)
            waiting += [name for name in needs(found.requires or []) if name not in done]
    return folder


def needs(requires: list[str]) -> Iterator[str]:
    from packaging.requirements import Requirement

    for text in requires:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def write_wheel(folder: Path, name: str) -> None:
    found = distribution(name)
    files = {str(path): path for path in found.files or () if ".." not in path.parts and "__pycache__" not in path.parts}
    record = next(item for item in files if item.endswith("dist-info/RECORD"))
    marks = found.read_text("WHEEL") or ""
    tag = next(line.removeprefix("Tag: ") for line in marks.splitlines() if line.startswith("Tag: "))
    content = {item: Path(str(path.locate())).read_bytes() for item, path in files.items() if item != record}
    stem = record.partition(".dist-info")[0]
    (folder / f"{stem}-{tag}.whl").write_bytes(pack(content, record))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    if os.geteuid() != 0 or sshd.unavailable() is not None or shutil.which("unshare") is None:
        pytest.skip(f"needs root and sshd: {sshd.unavailable() or 'not root'}")
    programs, systemd = tmp_path / "programs", tmp_path / "systemd"
    programs.mkdir()
    systemd.mkdir()
    stand_in = Path(__file__).with_name("systemctl_program.py")
    (programs / "systemctl").write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} {systemd} "$@"\n')
    (programs / "journalctl").write_text(f"#!/bin/sh\ncat {systemd}/journal\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    keys = tmp_path / "ssh"
    keys.mkdir()
    # /etc/dtn-agent is new, so /etc is an overlay; the rest hides what this machine has.
    prepare = "; ".join(
        [
            *(f"mount -t tmpfs tmpfs {folder}" for folder in HIDDEN),
            f"mkdir -p {tmp_path}/settings",
            "mkdir -p /run/systemd/system",
            f"mount -t tmpfs tmpfs {tmp_path}/settings",
            f"mkdir {tmp_path}/settings/up {tmp_path}/settings/work",
            f"mount -t overlay overlay -o lowerdir=/etc,upperdir={tmp_path}/settings/up,workdir={tmp_path}/settings/work /etc",
            "mkdir -p /etc/systemd/system",
        ]
    )
    path = f"SetEnv PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin"
    with sshd.running_sshd(keys, path, prepare=prepare) as server:
        monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
        yield Machine(server, tmp_path, free_port())
        with contextlib.suppress(FileNotFoundError):
            subprocess.run([programs / "systemctl", "stop"], check=True)


@pytest.mark.lab
@pytest.mark.slow
def test_an_endpoint_is_added_over_ssh_and_again_is_no_harm(machine: Machine, wheelhouse: Path) -> None:
    root = machine.root / "site"
    (root / "state/networks").mkdir(parents=True)
    (root / "state/site.yaml").write_text("name: demo\n")
    (root / "state/networks/data.yaml").write_text("driver: bridge\n")
    interface = next(name for name in psutil.net_if_stats() if name != "lo")
    login = ("--ssh", f"{machine.server.user}@box", "--listen", f"127.0.0.1:{machine.port}", "--wheelhouse", str(wheelhouse))
    command = ("endpoints", "add", "dtn3", "--interface", f"data={interface}", *login)
    first = dtnctl(root, *command)
    assert first.code == 0, first.err
    assert f"dtn3: the agent answers at https://127.0.0.1:{machine.port}: {socket.gethostname()}" in first.err
    assert machine.calls() == ["daemon-reload", "enable", "restart"]
    assert f"agent: https://127.0.0.1:{machine.port}\n" in (root / "state/endpoints/dtn3.yaml").read_text()
    for name in (certificates.CA_KEY, certificates.CLIENT_KEY):
        assert (root / name).stat().st_mode & 0o777 == 0o600
    text = (root / "state/endpoints/dtn3.yaml").read_text()

    again = dtnctl(root, *command)
    assert again.code == 0, again.err
    assert "nothing had to be changed" in again.err
    assert "wrote" not in again.err
    assert machine.calls() == ["daemon-reload", "enable", "start"]
    assert (root / "state/endpoints/dtn3.yaml").read_text() == text
    assert '"who": "demo"' in (machine.systemd / "journal").read_text()

    wrong = dtnctl(root, "endpoints", "add", "dtn4", "--interface", "data=ens99f0", *login)
    assert wrong.code == 64
    assert "--interface data=ens99f0: dtn4 has no such interface; it has" in wrong.err
    assert not (root / "state/endpoints/dtn4.yaml").exists()


@pytest.mark.lab
@pytest.mark.slow
def test_an_agent_is_added_without_certificates_and_asked_through_ssh(machine: Machine, wheelhouse: Path) -> None:
    root, path = machine.root / "site", machine.root / "run/agent.sock"
    (root / "state").mkdir(parents=True)
    (root / "state/site.yaml").write_text("name: demo\n")
    group = grp.getgrgid(os.getgid()).gr_name
    words = ("--ssh", f"{machine.server.user}@box", "--wheelhouse", str(wheelhouse), "--agent", f"ssh:{path}", "--group", group)
    added = dtnctl(root, "endpoints", "add", "dtn3", *words)
    assert added.code == 0, added.err
    assert f"dtn3: the agent answers on {path}, through ssh://{machine.server.user}@box: {socket.gethostname()}" in added.err
    text = (root / "state/endpoints/dtn3.yaml").read_text()
    assert text == f"docker: ssh://{machine.server.user}@box\nagent: ssh:{path}\n"
    assert not (root / ".secrets").exists()
    assert '"who": "uid 0"' in (machine.systemd / "journal").read_text()


def test_what_would_be_done_is_printed_and_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: demo\n")
    shown = dtnctl(tmp_path, "endpoints", "add", "dtn3", "--ssh", "root@dtn3.invalid", "--interface", "data=ens1f0", "--print")
    assert shown.code == 0, shown.err
    assert "1. look at ssh://root@dtn3.invalid" in shown.out
    assert "2. make .secrets/agent-ca.pem" in shown.out
    assert "4. ask the agent at https://dtn3.invalid:5050 for facts" in shown.out
    assert "agent: https://dtn3.invalid:5050" in shown.out
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["site.yaml", "state"]


def test_an_agent_through_ssh_needs_no_certificates(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: demo\n")
    shown = dtnctl(tmp_path, "endpoints", "add", "dtn3", "--ssh", "root@dtn3.invalid", "--agent", "ssh", "--print")
    assert shown.code == 0, shown.err
    assert ".secrets" not in shown.out
    assert "3. ask the agent on /run/dtnctl/agent.sock, through ssh://root@dtn3.invalid for facts" in shown.out
    assert "     agent: ssh\n" in shown.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--ssh", "root@dtn3.invalid"), 7, "there is no host of the name 'dtn3.invalid'"),
        (("--ssh", "root@dtn3", "--interface", "data"), 64, "expected NETWORK=NIC"),
        (("--ssh", "-oProxyCommand=x"), 64, "there is no host in it"),
        (("--ssh", "root@dtn3", "--docker", "tcp://dtn3:2376"), 64, "tcp:// needs `tls:`"),
    ],
)
def test_what_is_typed_wrong_is_told_and_leaves_nothing(tmp_path: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: demo\n")
    result = dtnctl(tmp_path, "endpoints", "add", "dtn3", *words)
    assert result.code == code
    assert sentence in result.err
    assert not (tmp_path / "state/endpoints").exists()
