"""The pure parts below the provider: references, logins, streams, archives."""

from __future__ import annotations

import errno
import http.client
import io
import ssl
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import EngineError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import LABEL_REPOSITORY, LABEL_SITE
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site_settings import Registry
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker.archive import empty_image, meeting_folder, pack, parents, unpack
from dtnctl.providers.docker.errors import LateConnectionError, causes, reason
from dtnctl.providers.docker.registry import Reference, RegistryLogin, login_for, parse_reference
from dtnctl.providers.docker.streams import HEAD, frames
from dtnctl.providers.docker.view import View
from dtnctl.providers.docker.volumes import volume_seen
from dtnctl.providers.secrets.source import SecretSource

DIGEST = f"sha256:{'a' * 64}"


# --- references and logins ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "reference", "version"),
    [
        ("busybox", Reference("docker.io", "busybox"), "latest"),
        ("busybox:1.36", Reference("docker.io", "busybox", "1.36"), "1.36"),
        ("dtnaas/ofed:latest", Reference("docker.io", "dtnaas/ofed", "latest"), "latest"),
        ("localhost/x", Reference("localhost", "localhost/x"), "latest"),
        ("reg.example.net/a/b:2", Reference("reg.example.net", "reg.example.net/a/b", "2"), "2"),
        ("reg:5000/a", Reference("reg:5000", "reg:5000/a"), "latest"),
        ("reg:5000/a:2", Reference("reg:5000", "reg:5000/a", "2"), "2"),
        (f"reg:5000/a:2@{DIGEST}", Reference("reg:5000", "reg:5000/a", "2", DIGEST), DIGEST),
        (f"a@{DIGEST}", Reference("docker.io", "a", "", DIGEST), DIGEST),
    ],
)
def test_a_reference_is_taken_apart(image: str, reference: Reference, version: str) -> None:
    assert (parse_reference(image), parse_reference(image).version) == (reference, version)


def test_a_login_is_found_by_the_registrys_host_and_the_hub_has_several_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")
    registries = {name: Registry(username="ann", password_env="TOKEN") for name in ("index.docker.io", "reg:5000")}
    assert login_for("busybox", registries, Path()) == RegistryLogin("docker.io", "ann", "t0ken")
    assert login_for("reg:5000/x", registries, Path()) == RegistryLogin("reg:5000", "ann", "t0ken")
    assert login_for("reg:6000/x", registries, Path()) is None


def test_a_login_never_shows_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    login = RegistryLogin("reg", "ann", "t0ken")
    assert "t0ken" not in f"{login!r} {login}"
    assert login.redact("no t0ken here") == "no … here"
    assert RegistryLogin("reg", "ann", "").redact("as it is") == "as it is"


def test_a_password_file_is_read_to_the_end_of_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" t0ken \r\nmore\n")
    login = login_for("reg:1/x", {"reg:1": Registry(username="ann", password_file="token")}, tmp_path)
    assert login is not None
    assert login.password == "t0ken"


def test_a_password_by_reference_is_looked_up_and_its_absence_names_the_reference(tmp_path: Path) -> None:
    registries = {"reg:1": Registry(username="ann", password=Secret(secret="env:TOKEN"))}
    assert login_for("reg:1/x", registries, tmp_path, SecretSource(tmp_path, {"TOKEN": "t0ken\n"})) == RegistryLogin(
        "reg:1", "ann", "t0ken"
    )
    with pytest.raises(EngineError, match="login at reg:1: env:TOKEN cannot be used: the environment variable TOKEN is not set"):
        login_for("reg:1/x", registries, tmp_path, SecretSource(tmp_path))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"], ids=["missing", "binary"])
def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(EngineError, match=f"login at reg:1: cannot read the password file {tmp_path / 'token'}"):
        login_for("reg:1/x", {"reg:1": Registry(username="ann", password_file="token")}, tmp_path)


# --- streams ------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=6), st.integers(1, 50))
def test_frames_come_whole_however_they_are_cut(written: list[tuple[int, bytes]], size: int) -> None:
    data = b"".join(HEAD.pack(stream, len(body)) + body for stream, body in written)
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    assert list(frames(chunks)) == written


def test_a_frame_that_is_cut_off_gives_what_is_there() -> None:
    assert list(frames([HEAD.pack(2, 100) + b"half"])) == [(2, b"half")]
    assert list(frames([HEAD.pack(2, 100)])) == []
    assert list(frames([b"\x01\x00"])) == []


def test_frames_are_given_as_they_arrive() -> None:
    taken: list[str] = []

    def arriving() -> Iterator[bytes]:
        for word in (b"one", b"two"):
            taken.append(word.decode())
            yield HEAD.pack(1, len(word)) + word

    given_out = frames(arriving())
    assert (next(given_out), taken) == ((1, b"one"), ["one"])


# --- archives -----------------------------------------------------------------------------------------------


def test_an_archive_names_only_new_folders_and_each_once() -> None:
    entries = (FileEntry("/run/a/b/one", b"1", uid=5), FileEntry("/run/a/b/two", b"2"), FileEntry("/run/three", b"3"))
    new = {"/run/a", "/run/a/b"}
    assert meeting_folder(entries, new) == "/run"
    with tarfile.open(fileobj=io.BytesIO(pack(entries, "/run", new))) as tar:
        assert [member.name for member in tar] == ["a", "a/b", "a/b/one", "a/b/two", "three"]
        assert tar.getmember("a/b").uid == 5


@pytest.mark.parametrize(
    ("paths", "new", "folder"),
    [(["/x"], set(), "/"), (["/a/x", "/b/x"], {"/a"}, "/"), (["/a/b/x"], {"/a", "/a/b"}, "/"), (["/a/b/x"], {"/a/b"}, "/a")],
)
def test_an_archive_is_unpacked_at_the_deepest_folder_that_is_there(paths: list[str], new: set[str], folder: str) -> None:
    assert meeting_folder(tuple(FileEntry(path, b"") for path in paths), new) == folder


def test_folders_above_a_path() -> None:
    assert parents("/a/b/c") == ["/a/b", "/a"]
    assert parents("/a") == []


def test_an_archive_is_read_by_absolute_path_files_only() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind in (
            ("records/", tarfile.DIRTYPE),
            ("records/b", tarfile.REGTYPE),
            ("records/link", tarfile.SYMTYPE),
            ("records/a", tarfile.REGTYPE),
        ):
            header = tarfile.TarInfo(name)
            header.type, header.size = kind, 1 if kind == tarfile.REGTYPE else 0
            tar.addfile(header, io.BytesIO(b"x"))
    assert list(unpack(buffer.getvalue(), "/ledger/records/").items()) == [("/ledger/records/a", b"x"), ("/ledger/records/b", b"x")]


def test_a_file_that_is_asked_for_itself_keeps_its_path() -> None:
    data = pack((FileEntry("/etc/passwd", b"x"),), "/etc", ())
    assert unpack(data, "/etc/passwd") == {"/etc/passwd": b"x"}
    assert unpack(empty_image(), "/") == {}


# --- sentences ----------------------------------------------------------------------------------------------


def test_what_has_no_sentence_of_its_own_is_told_in_its_own_words() -> None:
    assert reason(ValueError("odd\n  thing"), parse_engine("unix:///x")) == "odd thing"
    assert reason(ssl.SSLError("some {strange} failure"), parse_engine("tcp://h:1")) == "no TLS connection: ('some strange failure',)"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (http.client.BadStatusLine("SSH-2.0-OpenSSH"), "what answers there is not a Docker engine"),
        (http.client.IncompleteRead(b"half"), "the connection was cut before the answer came"),
        (http.client.RemoteDisconnected("closed"), "the connection was cut before the answer came"),
        (
            LateConnectionError("late"),
            "no connection in time; is the host up, and does a firewall let the port through?",
        ),
    ],
)
def test_what_goes_wrong_on_the_way_has_its_sentence(error: Exception, sentence: str) -> None:
    assert reason(error, parse_engine("tcp://h:1")) == sentence


def test_a_host_that_cannot_be_reached_is_no_timeout() -> None:
    error = OSError(errno.EHOSTUNREACH, "No route to host")
    assert reason(error, parse_engine("tcp://h:1")) == "[Errno 113] No route to host"


def test_a_certificate_that_is_refused_for_a_rare_reason_is_told_in_openssls_words() -> None:
    error = ssl.SSLCertVerificationError("refused")
    error.verify_code, error.verify_message = 23, "certificate revoked"
    assert reason(error, parse_engine("tcp://h:1")) == "the engine's certificate is refused: certificate revoked"


def test_a_cause_that_goes_round_in_circles_is_followed_once() -> None:
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]


# --- volumes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "is_ours"),
    [
        ({LABEL_SITE: "play", LABEL_REPOSITORY: "r1"}, True),
        ({LABEL_SITE: "play"}, True),  # made before the repository had an id
        ({LABEL_SITE: "play", LABEL_REPOSITORY: "r2"}, False),
        ({LABEL_SITE: "other", LABEL_REPOSITORY: "r1"}, False),
        ({}, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("endpoint", ["dtn1", "renamed"])
def test_a_volume_is_its_sites_under_whatever_name_the_endpoint_has(endpoint: str, labels: dict[str, str] | None, is_ours: bool) -> None:
    view = View(endpoint, "play", {}, Path(), repository="r1")
    assert volume_seen({"Name": "vol", "Driver": "local", "Options": None, "Labels": labels}, view).is_ours is is_ours
