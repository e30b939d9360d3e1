"""The three ways to an engine, and what is said when one of them does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("transport", ["tcp", "ssh"])
def test_a_session_is_applied_over(play: Playground, transport: str) -> None:
    play.endpoint("dtn1", transport)
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.converge()
    assert play.container("run")["State"]["Running"]
    assert play.names() == {"play.run"}


def test_ca_bundle_variables_do_not_break_mutual_tls(play: Playground) -> None:
    play.endpoint("dtn1", "tcp")
    play.session("run")
    other = "/etc/ssl/certs/ca-certificates.crt"
    ran = play.run("apply", "--yes", env={"REQUESTS_CA_BUNDLE": other, "CURL_CA_BUNDLE": other, "HTTPS_PROXY": "http://10.10.0.254:9"})
    ran.expect(0)


def test_a_wrong_ca_is_refused_with_a_sentence_and_nothing_is_sent(play: Playground) -> None:
    wrong = play.root / "wrong-ca.pem"
    key = play.root / "wrong.key"
    play.lab.exec(
        "ctl",
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(wrong),
            "-days",
            "2",
            "-subj",
            "/CN=wrong",
        ],
    )
    tls = play.lab.layout.tls
    play.endpoint("dtn1", "tcp", tls={"ca": str(wrong), "cert": str(tls.cert), "key": str(tls.key)})
    play.session("run")
    ran = play.apply()
    assert ran.code == 7, ran.out + ran.err
    assert "certificate" in (ran.out + ran.err).lower()
    assert play.names() == set()


def test_an_unknown_host_key_is_refused(play: Playground) -> None:
    play.endpoint("dtn1", "ssh")
    play.session("run")
    known = Path(play.lab.layout.home) / ".ssh" / "known_hosts"
    files = [item for item in (known, *play.lab.layout.controller.rglob("*known_hosts*")) if item.exists()]
    kept = {item: item.read_bytes() for item in files}
    for item in files:
        item.write_bytes(b"")
    try:
        ran = play.apply()
    finally:
        for item, content in kept.items():
            item.write_bytes(content)
    assert ran.code == 7, ran.out + ran.err
    assert "host key" in (ran.out + ran.err).lower()
    assert play.names() == set()


def test_an_endpoint_that_swallows_packets_is_silent_after_the_timeout_and_the_other_one_converges(play: Playground) -> None:
    play.endpoint("dtn2", "tcp")
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.lab.unplug("dtn2")
    try:
        ran = play.apply("--timeout", "6")
    finally:
        play.lab.plug("dtn2")
    assert ran.code == 3, ran.out + ran.err
    assert play.names() == {"play.run"}
    play.converge()
