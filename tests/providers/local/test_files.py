"""What this machine lacks to ask an endpoint is a mistake with its place, found before anybody is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.site import AgentTls, Endpoint, Tls
from dtnctl.providers.local.files import find_local_problems, find_login_problems
from dtnctl.repository.load import load_site
from tests.providers.certificates import authority, issue
from tests.repository.state_folder import ENDPOINT, NOW, SITE, write_state

SSH = {"PATH": "/usr/bin:/bin"}
TLS = "docker: tcp://a.example.net:9\ntls:\n  ca: ca.pem\n  cert: me.pem\n  key: me-key.pem\n"
AGENT = "docker: unix:///run/a.sock\nhost: a\nagent: https://a:5050\nagent_tls:\n  ca: ca.pem\n  cert: me.pem\n  key: me-key.pem\n"
TOKEN_FILE = "docker: unix:///run/a.sock\nhost: a\nagent: https://a:5050\nagent_token_file: token\n"
TOKEN_ENV = "docker: unix:///run/a.sock\nhost: a\nagent: https://a:5050\nagent_token_env: TOKEN\n"
TOKEN_SECRET = "docker: unix:///run/a.sock\nhost: a\nagent: https://a:5050\nagent_token: {secret: env:TOKEN}\n"
PORTAINER = "docker: portainer+https://p:1/a\nhost: a\nportainer:\n  key: {secret: env:TOKEN}\n  ca: ca.pem\n"
HEAD = "name: lab\nid: a1b2c3d4e5f6\nregistries:\n  reg.example.net:5000:\n    username: ann\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository in which everything is right: certificates and a token."""
    ca = authority()
    ca.write(tmp_path, "ca")
    issue(ca).write(tmp_path, "me")
    issue(ca).write(tmp_path, "other")
    (tmp_path / "token").write_text("s3cret\n")
    return tmp_path


def found(root: Path, endpoint: str, **environment: str) -> list[str]:
    """Place and code of everything that is said."""
    write_state(root, {ENDPOINT: endpoint + "interfaces: {data: eth1}\n"})
    problems = find_local_problems(load_site(root, "state", NOW), root, SSH | environment)
    return [f"{item.file}:{item.line}:{item.column} {item.code}" for item in problems]


@pytest.mark.parametrize("endpoint", [TLS, AGENT, TOKEN_FILE, TOKEN_ENV, TOKEN_SECRET, PORTAINER])
def test_nothing_is_said_where_all_is_there(root: Path, endpoint: str) -> None:
    assert found(root, endpoint, TOKEN="x") == []


def missing(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def holding(name: str, content: bytes) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / name).write_bytes(content)

    return write


def folder(root: Path) -> None:
    (root / "ca.pem").unlink()
    (root / "ca.pem").mkdir()


def of_another(root: Path) -> None:
    (root / "me-key.pem").write_bytes((root / "other-key.pem").read_bytes())


def with_password(root: Path) -> None:
    issue(authority()).write(root, "me", password=b"secret")


@pytest.mark.parametrize(
    ("endpoint", "spoil", "said"),
    [
        (TLS, missing("ca.pem"), "3:7 E0370"),
        (TLS, folder, "3:7 E0370"),
        (TLS, missing("me.pem"), "4:9 E0370"),
        (TLS, missing("me-key.pem"), "5:8 E0370"),
        (TLS, holding("ca.pem", b""), "3:7 E0371"),
        (TLS, holding("ca.pem", b"\xff\x00"), "3:7 E0371"),
        (TLS, holding("me.pem", b"no"), "4:9 E0371"),
        (TLS, of_another, "4:9 E0371"),
        (TLS, with_password, "4:9 E0371"),
        (AGENT, missing("ca.pem"), "5:7 E0370"),
        (AGENT, of_another, "6:9 E0371"),
        (TOKEN_FILE, missing("token"), "4:19 E0370"),
        (TOKEN_FILE, holding("token", b""), "4:19 E0372"),
        (TOKEN_FILE, holding("token", b"two words\n"), "4:19 E0372"),
        (TOKEN_FILE, holding("token", b"\xff\xfe\n"), "4:19 E0372"),
    ],
)
def test_each_file_that_is_missing_or_wrong_is_named_by_the_line_that_names_it(
    root: Path, endpoint: str, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(root)
    assert found(root, endpoint) == [f"state/{ENDPOINT}:{said}"]


def test_a_path_that_no_file_can_have_is_a_mistake_and_no_traceback(root: Path) -> None:
    assert found(root, TLS.replace("ca.pem", "c" * 300)) == [f"state/{ENDPOINT}:3:7 E0370"]
    assert found(root, TLS.replace("ca.pem", '"c\\0"')) == [f"state/{ENDPOINT}:3:7 E0370"]


@pytest.mark.parametrize("environment", [{}, {"TOKEN": ""}, {"TOKEN": "a b"}, {"TOKEN": "ä"}])
def test_a_variable_without_a_token_is_a_mistake(root: Path, environment: dict[str, str]) -> None:
    assert found(root, TOKEN_ENV, **environment) == [f"state/{ENDPOINT}:4:18 E0372"]
    assert found(root, TOKEN_SECRET, **environment) == [f"state/{ENDPOINT}:4:23 E0372"]
    assert found(root, PORTAINER, **environment) == [f"state/{ENDPOINT}:4:17 E0372"]


@pytest.mark.parametrize(("spoil", "code"), [(missing("ca.pem"), "E0370"), (folder, "E0370"), (holding("ca.pem", b""), "E0371")])
def test_portainers_certificate_is_looked_at(root: Path, spoil: Callable[[Path], None], code: str) -> None:
    spoil(root)
    assert found(root, PORTAINER, TOKEN="x") == [f"state/{ENDPOINT}:5:7 {code}"]


def test_all_mistakes_are_named_at_once(root: Path) -> None:
    for name in ("ca.pem", "me.pem"):
        (root / name).unlink()
    assert found(root, TLS) == [f"state/{ENDPOINT}:3:7 E0370", f"state/{ENDPOINT}:4:9 E0370"]


def test_without_an_ssh_client_every_address_that_needs_it_says_so(root: Path) -> None:
    assert found(root, TOKEN_FILE, PATH="/nowhere") == ["state/endpoints/b.yaml:1:9 E0373"]


def test_every_path_of_a_file_in_an_endpoint_is_looked_at() -> None:
    """A new field that names a file must be looked at, too."""
    texts = {
        f"{model.__name__}.{name}"
        for model in (Endpoint, Tls, AgentTls, Portainer)
        for name, field in model.model_fields.items()
        if "(PEM)" in str(field.description) or "File" in str(field.description)
    }
    tls = {f"{model}.{name}" for model in ("Tls", "AgentTls") for name in ("ca", "cert", "key")}
    assert texts == {*tls, "Endpoint.agent_token_file", "Portainer.ca"}


@pytest.mark.parametrize("login", ["password_env: NO_SUCH_VARIABLE", "password_file: nosuch"])
def test_a_login_that_this_machine_lacks_is_named_for_images_that_need_it(root: Path, login: str) -> None:
    write_state(root, {SITE: f"{HEAD}    {login}\n"})
    site = load_site(root, "state", NOW)
    (problem,) = find_login_problems(site, frozenset({"reg.example.net:5000/dtn:1", "reg.example.net:5000/x:2"}), root)
    assert (problem.file, problem.line, problem.code) == ("state/site.yaml", 4, "E0374")
    assert find_login_problems(site, frozenset({"tiny:1"}), root) == []
