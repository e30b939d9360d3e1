"""The end of a transfer is reported to a webhook, once, and whatever comes of that changes nothing about the transfer."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import TransferError
from dtnctl.installing.certificates import ensure_authority, issue_server
from dtnctl.model.ledger import Attempt
from dtnctl.model.notification import DUE
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.record import write_record
from tests import sops_program
from tests.runtime.transfers.transfer_world import HERE, SITE, TransferWorld, transfer_world


class Receiver:
    """A webhook on loopback: keeps what is posted, and answers with the next of `answers`, then with 204."""

    def __init__(self) -> None:
        receiver = self
        self.answers: list[int] = []
        self.bodies: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", "https://elsewhere.example.net/")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal of tests."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


def asked(**notify: Any) -> dict[str, Any]:
    """Options with a webhook."""
    return {"notify": notify, "labels": [["experiment", "atlas"]]}


def ran(scene: TransferWorld, options: dict[str, Any]) -> Attempt:
    scene.start(**options)
    return scene.finish(**options)


def test_an_end_is_posted_once_with_what_the_receipt_says(scene: TransferWorld, receiver: Receiver) -> None:
    receipt = ran(scene, asked(url=receiver.url))
    (body,) = receiver.bodies
    assert body == {
        "format_version": 1,
        "kind": "transfer",
        "id": "lab/run.g1a1",
        "site": "lab",
        "state": "succeeded",
        "transfer": "run",
        "generation": 1,
        "attempt": 1,
        "cause": "",
        "source": "dtn1:/data/in",
        "destination": "dtn2:/data/out",
        "tool": "gridftp",
        "bytes": 1000,
        "files": 1,
        "seconds": receipt.seconds,
        "checksum": receipt.checksum,
        "claimed_at": receipt.claimed_at,
        "finished_at": receipt.finished_at,
        "labels": {"experiment": "atlas"},
        "metadata": {},
    }
    (record,) = scene.records()
    assert record == receipt
    assert record.notified.endswith("Z")
    assert scene.finish(**asked(url=receiver.url)).verdict == "succeeded"
    assert len(receiver.bodies) == 1


def test_only_the_states_that_were_asked_for_are_reported(scene: TransferWorld, receiver: Receiver) -> None:
    assert ran(scene, asked(url=receiver.url, states=["failed"])).notified == ""
    assert receiver.bodies == []


def test_a_failure_is_reported_after_its_last_try(scene: TransferWorld, receiver: Receiver) -> None:
    scene.copy.exit_code, scene.copy.log = 1, "error: Connection reset by peer\n"
    options = asked(url=receiver.url) | {"retries": 1}
    scene.start(**options)
    with pytest.raises(TransferError, match="failed: "):
        scene.finish(**options)
    assert [(body["state"], body["attempt"]) for body in receiver.bodies] == [("failed", 2)]
    assert [bool(record.notified) for record in scene.records()] == [False, True]


def test_a_failure_that_is_out_of_time_for_its_next_try_is_reported(scene: TransferWorld, receiver: Receiver) -> None:
    scene.copy.exit_code, scene.copy.log = 1, "error: Connection reset by peer\n"
    options = asked(url=receiver.url) | {"retries": 1, "backoff": 100.0, "deadline": 50.0}
    scene.start(**options)
    with pytest.raises(TransferError, match="failed: "):
        scene.finish(**options)
    assert [(body["state"], body["attempt"]) for body in receiver.bodies] == [("failed", 1)]


def test_what_was_due_when_a_run_was_cut_off_is_sent_by_the_next_one(scene: TransferWorld, receiver: Receiver) -> None:
    receipt = ran(scene, {})
    write_record(scene.engines[HERE], SITE, replace(receipt, notified=DUE))
    assert scene.finish(wait=False, **asked(url=receiver.url)).notified.endswith("Z")
    assert [body["id"] for body in receiver.bodies] == ["lab/run.g1a1"]


def test_a_busy_receiver_is_asked_again(scene: TransferWorld, receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    assert ran(scene, asked(url=receiver.url)).notified.endswith("Z")
    assert len(receiver.bodies) == 3
    assert scene.clock.pauses[-2:] == [1.0, 4.0]


@pytest.mark.parametrize(
    ("answers", "posts", "reason"),
    [
        ([500, 500, 500], 3, "the webhook answered 500"),
        ([404], 1, "the webhook answered 404"),
        ([302], 1, "the webhook answered 302"),
        ([307], 1, "the webhook answered 307"),
    ],
)
def test_a_receiver_that_refuses_is_said_and_never_fails_the_transfer(
    scene: TransferWorld, receiver: Receiver, answers: list[int], posts: int, reason: str
) -> None:
    receiver.answers = answers
    receipt = ran(scene, asked(url=receiver.url))
    assert receipt.verdict == "succeeded"
    assert receipt.notified.startswith("not sent at ")
    assert receipt.notified.endswith(reason)
    assert len(receiver.bodies) == posts
    scene.finish(**asked(url=receiver.url))
    assert len(receiver.bodies) == posts


def test_an_address_in_the_environment_or_in_a_file_is_used_and_never_said(
    scene: TransferWorld, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DTN_HOOK", receiver.url)
    assert ran(scene, asked(url_env="DTN_HOOK")).notified.endswith("Z")
    (tmp_path / "hook").write_text(f"{receiver.url}\nand more\n")
    scene.start(generation=2, **asked(url_file=str(tmp_path / "hook")))
    assert scene.finish(generation=2, **asked(url_file=str(tmp_path / "hook"))).notified.endswith("Z")
    assert len(receiver.bodies) == 2


def test_an_address_that_sops_keeps_is_looked_up_when_it_is_used_and_never_said(
    scene: TransferWorld, receiver: Receiver, tmp_path: Path
) -> None:
    environment = {**os.environ, **sops_program.prepare(tmp_path / "outside", tmp_path / "hooks.yaml", {"ops": receiver.url})}
    scene.calls = JointCalls(look_up=SecretSource(tmp_path, environment).line)
    assert ran(scene, asked(url_secret="sops:hooks.yaml#ops")).notified.endswith("Z")
    assert len(receiver.bodies) == 1
    scene.start(generation=2, **asked(url_secret="sops:hooks.yaml#gone"))
    receipt = scene.finish(generation=2, **asked(url_secret="sops:hooks.yaml#gone"))
    assert receipt.verdict == "succeeded"
    assert "sops:hooks.yaml#gone holds no address: " in receipt.notified
    assert receiver.url not in receipt.notified


def test_an_address_that_is_missing_or_none_is_said_without_it(
    scene: TransferWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DTN_HOOK", "http://hooks.example.net/s3cret")
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("DTN_CLOSED", "http://127.0.0.1:9/s3cret")
    for number, (notify, reason) in enumerate(
        (
            ({"url_env": "DTN_NO_HOOK"}, "the environment has no DTN_NO_HOOK"),
            ({"url_env": "DTN_HOOK"}, "a webhook is an https:// address; http:// is for this machine's own loopback alone"),
            ({"url_file": f"{tmp_path}/none"}, f"{tmp_path}/none cannot be read: No such file or directory"),
            ({"url_file": f"{tmp_path}/empty"}, "a webhook is an https:// address; http:// is for this machine's own loopback alone"),
            ({"url_file": f"{tmp_path}/binary"}, f"{tmp_path}/binary cannot be read: it is no text"),
            ({"url_secret": "env:DTN_HOOK"}, "env:DTN_HOOK holds no address: env:DTN_HOOK is not looked up here"),
            ({"url_env": "DTN_CLOSED"}, "the webhook cannot be reached: Connection refused"),
        ),
        start=1,
    ):
        scene.start(generation=number, **asked(**notify))
        receipt = scene.finish(generation=number, **asked(**notify))
        assert receipt.notified.endswith(reason), receipt.notified
        assert "s3cret" not in receipt.notified


def test_a_certificate_that_nothing_vouches_for_gets_no_body(
    scene: TransferWorld, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = ensure_authority(tmp_path, "test", datetime.now(UTC))
    pair = issue_server(authority, ["127.0.0.1"], datetime.now(UTC))
    (tmp_path / "pair.pem").write_bytes(pair.key_pem + pair.certificate_pem)
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    url = receiver.url.replace("http:", "https:")
    receipt = ran(scene, asked(url=url))
    assert "the webhook's certificate is not accepted: " in receipt.notified
    assert receiver.bodies == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    scene.start(generation=2, **asked(url=url))
    assert scene.finish(generation=2, **asked(url=url)).notified.endswith("Z")
    assert len(receiver.bodies) == 1
