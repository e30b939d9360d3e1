"""Odd, broken and hostile answers of an engine: each ends in one clear sentence or in the right value, never in a traceback."""

from __future__ import annotations

import base64
import json
import logging
import re
import struct
import threading
import traceback
from pathlib import Path

import pytest

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.actions import CreateNetwork, PullImage, RemoveContainer
from dtnctl.model.resources import NetworkSpec, Wanted
from dtnctl.model.site_settings import Registry
from dtnctl.providers.docker.versions import NEWEST_API
from dtnctl.providers.text import LONGEST_MESSAGE
from tests.providers.canned import Answer, canned_engine

SECRET = "canary-0b7d6a"
DIGEST = f"sha256:{'1' * 64}"
IMAGE = "reg.example.net:5000/tool:1"


def stream(*messages: object) -> Answer:
    return Answer(b"".join(json.dumps(message).encode() + b"\r\n" for message in messages))


# --- redirections -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://other.example.net/v1.41/containers/a/start", "https://127.0.0.1:1/"])
def test_redirection_is_a_refusal_and_is_not_followed(tmp_path: Path, status: int, place: str) -> None:
    """Else another host would get our headers, where a key may be, and a write that became a read would count as done."""
    answer = Answer(b"", status, {"Location": place})
    with canned_engine(tmp_path, {"POST /containers/a/start": answer, "GET /containers/a/start": Answer({})}) as (engine, canned):
        with pytest.raises(EngineError, match=rf"points to another address \({status}\), which is not followed"):
            engine.start("a")
        assert [request for request in canned.requests if "/start" in request] == ["POST /v1.41/containers/a/start"]


def test_redirection_of_a_read_is_no_answer(tmp_path: Path) -> None:
    """What answers may send JSON with it, which would count as what the engine has."""
    lists = {"GET /containers/json": Answer([]), "GET /networks": Answer([], 302, {"Location": "https://127.0.0.1:1/"})}
    with canned_engine(tmp_path, lists) as (engine, _):
        assert "points to another address (302), which is not followed" in engine.observe(Wanted()).silence


def test_what_runs_already_is_no_redirection(tmp_path: Path) -> None:
    with canned_engine(tmp_path, {"POST /containers/a/start": Answer(b"", 304)}) as (engine, canned):
        engine.start("a")
    assert canned.requests[-1] == "POST /v1.41/containers/a/start"


# --- versions -----------------------------------------------------------------------------------------------


def test_an_engine_that_is_too_old_is_refused_with_what_it_takes(tmp_path: Path) -> None:
    old = {"Version": "19.03.1", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}
    with canned_engine(tmp_path, {"GET /version": Answer(old)}) as (engine, _):
        silence = engine.observe(Wanted()).silence
    assert "engine 19.03.1 speaks API 1.40; dtnctl needs API 1.41, which is engine 20.10 or newer" in silence


def test_every_engine_is_spoken_to_in_the_newest_api_that_it_and_we_know(tmp_path: Path) -> None:
    new = {"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44"}
    lists = {"GET /containers/json": Answer([]), "GET /networks": Answer([])}
    with canned_engine(tmp_path, {"GET /version": Answer(new), **lists}) as (engine, canned):
        seen = engine.observe(Wanted())
    assert (seen.silence, seen.engine_version, seen.api_version) == ("", "29.0.0", "1.52")
    assert f"GET /v{NEWEST_API}/networks" in canned.requests


NEW = {"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": "1.44"}


@pytest.mark.parametrize(
    ("ping", "asks", "spoken", "version"),
    [
        (Answer(b"OK", headers={"Api-Version": "1.41", "Server": "Docker/20.10.24+dfsg1 (linux)"}), False, "v1.41", "20.10.24+dfsg1"),
        (Answer(b"OK", headers={"Api-Version": "1.47", "Server": "Docker/27.3.1 (linux)"}), False, "v1.47", "27.3.1"),
        (Answer(b"OK", headers={"Api-Version": NEWEST_API, "Server": "Docker/28.5.2 (linux)"}), False, f"v{NEWEST_API}", "28.5.2"),
        (Answer(b"OK", headers={"Api-Version": "1.52", "Server": "Docker/29"}), True, f"v{NEWEST_API}", "29.0.0"),
        (Answer(b"OK", headers={"Api-Version": "1.51", "Server": "nginx/1.24.0"}), True, f"v{NEWEST_API}", "29.0.0"),
        (Answer(b"OK", headers={"Server": "Docker/28.2.2 (linux)"}), True, f"v{NEWEST_API}", "29.0.0"),
        (Answer({"message": "no ping here"}, 404), True, f"v{NEWEST_API}", "29.0.0"),
    ],
    ids=["oldest", "between", "newest", "newer than we speak", "behind a web server", "no API told", "no ping"],
)
def test_an_engine_is_asked_for_its_version_only_where_a_ping_leaves_it_open(
    tmp_path: Path, ping: Answer, asks: bool, spoken: str, version: str
) -> None:
    lists = {"GET /containers/json": Answer([]), "GET /networks": Answer([])}
    with canned_engine(tmp_path, {"GET /version": Answer(NEW), "GET /_ping": ping, **lists}) as (engine, canned):
        assert engine.observe(Wanted()).engine_version == version
    assert ("GET /version" in canned.requests, f"GET /{spoken}/networks" in canned.requests) == (asks, True)


def test_an_engine_that_dropped_every_api_of_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    newer = {"Version": "40.1.0", "ApiVersion": "1.90", "MinAPIVersion": "1.60"}
    with canned_engine(tmp_path, {"GET /version": Answer(newer)}) as (engine, canned):
        silence = engine.observe(Wanted()).silence
    assert f"engine 40.1.0 speaks API 1.60 and newer; this dtnctl speaks API 1.41 to {NEWEST_API}: update dtnctl" in silence
    assert canned.requests == ["GET /_ping", "GET /version"]


# as Podman 4.3, 5.4 and 5.8 answer
PODMAN_PING = Answer(b"OK", headers={"Api-Version": "1.41", "Libpod-Api-Version": "5.8.6", "Server": "Libpod/5.8.6 (linux)"})
PODMAN_VERSION = {
    "Platform": {"Name": "linux/amd64/debian-forky"},
    "Components": [{"Name": "Podman Engine", "Version": "5.8.6"}, {"Name": "Conmon"}, {"Name": "OCI Runtime (runc)"}],
    "Version": "5.8.6",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.24",
}


@pytest.mark.parametrize(
    "lists", [{}, {"GET /containers/json": Answer([]), "GET /libpod/networks/json": Answer([])}], ids=["refused", "shown"]
)
@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_a_podman_without_root_is_refused_with_one_sentence_whatever_else_it_answers(
    tmp_path: Path, behind_a_proxy: bool, lists: dict[str, Answer]
) -> None:
    ping = Answer(b"OK", headers={"Server": "nginx/1.24.0"}) if behind_a_proxy else PODMAN_PING
    info = Answer({"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]})
    answers = {"GET /_ping": ping, "GET /version": Answer(PODMAN_VERSION), "GET /info": info, **lists}
    with canned_engine(tmp_path, answers) as (engine, canned):
        silence = engine.observe(Wanted()).silence
        with pytest.raises(UnreachableError, match=re.escape(silence)):
            engine.start("x")
        with pytest.raises(UnreachableError, match=re.escape(silence)):
            engine.inspect("x")
    assert "a Podman without root answers there" in silence
    assert {request.split()[0] for request in canned.requests} == {"GET"}


def test_a_podman_is_asked_for_its_host_while_it_shows_what_is_there(tmp_path: Path) -> None:
    """For that answer it starts other programs: it was waited for before the first list was asked for."""
    listed = threading.Event()

    def containers() -> list[object]:
        listed.set()
        return []

    info = Answer(lambda: {"Name": "dtn1"} if listed.wait(4) else {})
    lists = {"GET /containers/json": Answer(containers), "GET /libpod/networks/json": Answer([])}
    with canned_engine(tmp_path, {"GET /_ping": PODMAN_PING, "GET /info": info, **lists}) as (engine, canned):
        seen = engine.observe(Wanted())
        engine.observe(Wanted())
    assert (seen.silence, seen.identity) == ("", "dtn1")
    assert [request for request in canned.requests if "/info" in request] == ["GET /v1.41/info"]


def test_an_old_podman_is_refused_by_its_ping(tmp_path: Path) -> None:
    ping = Answer(b"OK", headers={"Api-Version": "1.41", "Server": "Libpod/4.3.1 (linux)"})
    with canned_engine(tmp_path, {"GET /_ping": ping}) as (engine, canned):
        silence = engine.observe(Wanted()).silence
    assert "Podman 4.3.1 answers there; dtnctl needs Podman 5 or newer" in silence
    assert canned.requests == ["GET /_ping"]


def test_an_engine_that_is_too_old_tells_so_in_a_ping(tmp_path: Path) -> None:
    ping = Answer(b"OK", headers={"Api-Version": "1.40", "Server": "Docker/19.03.1 (linux)"})
    with canned_engine(tmp_path, {"GET /_ping": ping}) as (engine, _):
        assert "engine 19.03.1 speaks API 1.40; dtnctl needs API 1.41" in engine.observe(Wanted()).silence


@pytest.mark.parametrize(
    "answer",
    [Answer(b"<html>It works!</html>"), Answer(["not", "docker"]), Answer({"Version": "5.2"}), Answer(b""), Answer(b"\xff\x00\xfe")],
    ids=["html", "list", "other api", "empty", "binary"],
)
def test_what_is_no_engine_is_told_so(tmp_path: Path, answer: Answer) -> None:
    with canned_engine(tmp_path, {"GET /version": answer}) as (engine, _):
        assert "not a Docker engine" in engine.observe(Wanted()).silence


# --- refusals -----------------------------------------------------------------------------------------------


def test_an_engine_that_refuses_to_tell_is_unknown_not_empty(tmp_path: Path) -> None:
    with canned_engine(tmp_path, {"GET /containers/json": Answer({"message": "plugin says no"}, 403), "GET /networks": Answer([])}) as (
        engine,
        _,
    ):
        seen = engine.observe(Wanted())
    assert "refuses to show it: plugin says no" in seen.silence


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer({"message": "out of\n  luck"}, 500), "out of luck"),
        (Answer({"error": "no message"}, 500), '{"error": "no message"}'),
        (Answer([1, 2], 500), "[1, 2]"),
        (Answer(b"<h1>proxy</h1>", 502), "<h1>proxy</h1>"),
        (Answer(b"", 500), "Internal Server Error"),
        (Answer({"message": "x" * 5000}, 500), "x" * LONGEST_MESSAGE + " …"),
    ],
    ids=["message", "other json", "list", "html", "empty", "endless"],
)
def test_a_refusal_is_passed_on_in_one_line_of_bounded_length(tmp_path: Path, answer: Answer, text: str) -> None:
    with canned_engine(tmp_path, {"GET /containers/x/json": answer}) as (engine, _), pytest.raises(EngineError) as caught:
        engine.inspect("x")
    assert (str(caught.value), caught.value.status) == (text, answer.status)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (404, "No such container: x", NotFoundError),
        (409, "The container name is already in use", ConflictError),
        (500, "Bind for 0.0.0.0:80 failed: port is already allocated", ConflictError),
        (500, "driver failed: listen tcp4 0.0.0.0:80: bind: address already in use", ConflictError),
        (403, "endpoint with name x already exists in network y", ConflictError),
        (403, "network y has active endpoints", ConflictError),
        (500, "something else", EngineError),
    ],
)
def test_a_refusal_is_sorted_by_what_it_means(tmp_path: Path, status: int, message: str, kind: type[EngineError]) -> None:
    with canned_engine(tmp_path, {"POST /containers/x/start": Answer({"message": message}, status)}) as (engine, _):
        with pytest.raises(EngineError) as caught:
            engine.start("x")
        assert type(caught.value) is kind
        assert ("restart the engine" in str(caught.value)) is ("port is already allocated" in message)


def test_a_name_with_odd_characters_stays_one_part_of_the_path(tmp_path: Path) -> None:
    with canned_engine(tmp_path, {}) as (engine, canned), pytest.raises(NotFoundError):
        engine.inspect("a?force=1#b c")
    assert canned.requests[-1] == "GET /v1.41/containers/a%3Fforce%3D1%23b%20c/json"


def test_a_network_name_that_two_networks_bear_is_an_error_that_says_so(tmp_path: Path) -> None:
    answers = {
        "POST /networks/create": Answer({"message": "network with name n already exists"}, 409),
        "GET /networks/n": Answer({"message": "network n is ambiguous (2 matches found on name)"}, 400),
    }
    with canned_engine(tmp_path, answers) as (engine, _), pytest.raises(EngineError, match="ambiguous"):
        engine.perform(CreateNetwork("n", NetworkSpec("bridge"), ()))


# --- removal, commands, waiting -----------------------------------------------------------------------------


def test_a_removal_that_somebody_else_began_is_waited_for(tmp_path: Path) -> None:
    answers = {
        "DELETE /containers/x": Answer({"message": "removal of container x is already in progress"}, 409),
        "POST /containers/x/wait": Answer({"StatusCode": 0}),
    }
    with canned_engine(tmp_path, answers) as (engine, canned):
        engine.perform(RemoveContainer("name", "x"))
    assert canned.requests[-1] == "POST /v1.41/containers/x/wait?condition=removed"


def test_a_removal_that_is_over_when_we_wait_for_it_is_success(tmp_path: Path) -> None:
    answers = {"DELETE /containers/x": Answer({"message": "removal of container x is already in progress"}, 409)}
    with canned_engine(tmp_path, answers) as (engine, canned):
        engine.remove("x")
    assert canned.requests[-1].startswith("POST /v1.41/containers/x/wait")


def test_the_exit_code_of_a_command_is_asked_for_until_the_engine_knows_it(tmp_path: Path) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "POST /containers/x/exec": Answer({"Id": "e"}, 201),
        "POST /exec/e/start": Answer(struct.pack(">BxxxL", 1, 3) + b"out" + struct.pack(">BxxxL", 2, 3) + b"err"),
        "GET /exec/e/json": [
            Answer({"Running": True, "ExitCode": None}),
            Answer({"Running": False, "ExitCode": None}),
            Answer({"Running": False, "ExitCode": 4}),
        ],
    }
    with canned_engine(tmp_path, answers) as (engine, _):
        ran = engine.run("x", ("true",))
    assert (ran.exit_code, ran.stdout, ran.stderr) == (4, b"out", b"err")


def test_waiting_for_one_that_is_removed_meanwhile_gives_no_code(tmp_path: Path) -> None:
    answers = {"GET /containers/x/json": Answer({"State": {"Status": "running", "ExitCode": 0}})}
    with canned_engine(tmp_path, answers) as (engine, _):
        assert engine.wait("x", 1) is None


def test_waiting_on_an_engine_that_dies_is_an_error_not_a_timeout(tmp_path: Path) -> None:
    answers = {
        "GET /containers/x/json": Answer({"State": {"Status": "running", "ExitCode": 0}}),
        "POST /containers/x/wait": Answer(hang_up=True),
    }
    with canned_engine(tmp_path, answers) as (engine, _), pytest.raises(UnreachableError, match="cut before"):
        engine.wait("x", 1)


# --- the empty image ----------------------------------------------------------------------------------------

MISSING = Answer({"message": "No such image: dtnctl/empty:1"}, 404)
# as Docker 28.5.2 with containerd's image store says it to one of several importers
MEANWHILE = "failed to create image docker.io/dtnctl/empty:1 after deleting the existing one: AlreadyExists"


def test_an_import_that_another_one_was_in_the_way_of_is_tried_again(tmp_path: Path) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "GET /images/dtnctl/empty:1/json": [MISSING, Answer({"Id": "sha256:1"}), Answer({"Id": "sha256:1"})],
        "POST /containers/create": [MISSING, Answer({"Id": "hand"}, 201)],
        "POST /images/create": [stream({"error": MEANWHILE}), stream({"status": "sha256:1"})],
    }
    with canned_engine(tmp_path, answers) as (engine, canned):
        assert engine.create_placeholder("lock", ()) == "hand"
    assert sum(request.startswith("POST /v1.41/images/create") for request in canned.requests) == 2


@pytest.mark.parametrize(
    ("said", "imports"), [("write /var/lib/docker/tmp/x: no space left on device", 1), (MEANWHILE, 8)], ids=["full disk", "for ever"]
)
def test_an_import_that_never_comes_about_ends_with_its_own_words(tmp_path: Path, said: str, imports: int) -> None:
    answers = {"POST /containers/create": MISSING, "POST /images/create": stream({"error": said})}
    with canned_engine(tmp_path, answers) as (engine, canned), pytest.raises(EngineError, match=re.escape(said)):
        engine.create_placeholder("lock", ())
    assert sum(request.startswith("POST /v1.41/images/create") for request in canned.requests) == imports


# --- the ledger ---------------------------------------------------------------------------------------------


def test_an_archive_that_is_broken_is_an_error(tmp_path: Path) -> None:
    answers = {"GET /containers/x/archive": Answer(b"no tar" * 200)}
    with canned_engine(tmp_path, answers) as (engine, _), pytest.raises(EngineError, match="broken"):
        engine.read_files("x", "/ledger")


# --- pulling ------------------------------------------------------------------------------------------------


def test_an_error_inside_a_successful_answer_fails_the_pull(tmp_path: Path) -> None:
    said = "unauthorized: go away"
    body = stream({"status": "Pulling"}, {"errorDetail": {"code": 401, "message": said}, "error": said})
    with canned_engine(tmp_path, {"POST /images/create": body}) as (engine, _), pytest.raises(EngineError) as caught:
        engine.perform(PullImage(IMAGE))
    assert str(caught.value) == f"cannot pull {IMAGE}: unauthorized: go away"
    assert caught.value.status == 401


def test_noise_between_the_messages_of_a_pull_is_passed_over(tmp_path: Path) -> None:
    body = Answer(b'\r\nnoise\r\n["list"]\r\n{"status": "Downloaded"}\r\n{"errorDetail": {"message": "late"}}')
    with canned_engine(tmp_path, {"POST /images/create": body}) as (engine, _), pytest.raises(EngineError, match="late"):
        engine.perform(PullImage(IMAGE))


def test_an_image_with_another_digest_than_the_reference_says_is_refused(tmp_path: Path) -> None:
    answers = {
        "POST /images/create": stream({"status": "Downloaded"}),
        f"GET /images/{IMAGE}@{DIGEST}/json": Answer({"Id": "i", "RepoDigests": [f"reg.example.net:5000/tool@sha256:{'2' * 64}"]}),
    }
    with canned_engine(tmp_path, answers) as (engine, canned), pytest.raises(EngineError, match="another digest"):
        engine.perform(PullImage(f"{IMAGE}@{DIGEST}"))
    assert f"POST /v1.41/images/create?fromImage=reg.example.net%3A5000%2Ftool&tag=sha256%3A{'1' * 64}" in canned.requests


@pytest.mark.parametrize("place", ["in the stream", "as a refusal"])
def test_no_secret_is_in_any_error_or_log_even_if_the_registry_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "token").write_text(f"{SECRET}\nsecond line\n")
    monkeypatch.setenv("REG_USER", "ann")
    registries = {"reg.example.net:5000": Registry(username_env="REG_USER", password_file="token")}
    said = f"login failed for ann:{SECRET}"
    body = stream({"error": said}) if place == "in the stream" else Answer({"message": said}, 500)
    with canned_engine(tmp_path, {"POST /images/create": body}, registries) as (engine, canned), pytest.raises(EngineError) as caught:
        engine.perform(PullImage(IMAGE))
    (header,) = (headers["X-Registry-Auth"] for headers in canned.headers if "X-Registry-Auth" in headers)
    sent = json.loads(base64.urlsafe_b64decode(header))
    assert (sent["username"], sent["password"], sent["serveraddress"]) == ("ann", SECRET, "reg.example.net:5000")
    assert "login failed for ann:…" in str(caught.value)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert SECRET not in told


def test_a_login_whose_secret_is_missing_is_told_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REG_PASSWORD", raising=False)
    registries = {"reg.example.net:5000": Registry(username="ann", password_env="REG_PASSWORD")}
    with canned_engine(tmp_path, {}, registries) as (engine, canned):
        with pytest.raises(EngineError, match="the environment variable REG_PASSWORD is not set"):
            engine.perform(PullImage(IMAGE))
        assert canned.requests == ["GET /_ping"]


def test_a_registry_that_gives_no_digest_leaves_it_open(tmp_path: Path) -> None:
    answers = {
        "GET /containers/json": Answer([]),
        "GET /networks": Answer([]),
        "GET /distribution/a:1/json": Answer({"Descriptor": {"digest": DIGEST}}),
        "GET /distribution/b:1/json": Answer({"message": "unauthorized"}, 401),
        "GET /distribution/c:1/json": Answer({}),
    }
    with canned_engine(tmp_path, answers) as (engine, _):
        seen = engine.observe(Wanted(remote_images=frozenset({"a:1", "b:1", "c:1"})))
    assert seen.remote_digests == {"a:1": DIGEST, "b:1": "", "c:1": ""}


def test_an_engine_that_is_gone_says_so_for_every_call(tmp_path: Path) -> None:
    with canned_engine(tmp_path, {}) as (engine, _):
        pass
    with pytest.raises(UnreachableError, match="no process listens there"):
        engine.start("x")
