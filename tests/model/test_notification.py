"""Webhooks: what may be written, and what may be posted to."""

from __future__ import annotations

import pytest

from dtnctl.model.notification import ENDINGS, Notification, check_webhook
from dtnctl.model.source import Source
from dtnctl.model.transfer import Transfer
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source


def read(notify: str) -> tuple[Transfer | None, list[str]]:
    source = Source("t.yaml")
    parse_source(f"from: a:/x/x\nto: b:/x/y\ntool: gridftp\nnotify: {notify}\n".encode(), source)
    value = validate(source, Transfer)
    return value, [str(problem) for problem in source.problems]


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("{url: 'https://hooks.example.net/x'}", Notification(url="https://hooks.example.net/x", states=tuple(sorted(ENDINGS)))),
        ("{url: 'http://127.0.0.1:8080/'}", Notification(url="http://127.0.0.1:8080/", states=tuple(sorted(ENDINGS)))),
        ("{url: {secret: 'env:DTN_HOOK'}}", Notification(states=tuple(sorted(ENDINGS)), url_secret="env:DTN_HOOK")),
        ("{url_env: DTN_HOOK, states: [partial, failed, failed]}", Notification(url_env="DTN_HOOK", states=("failed", "partial"))),
        ("{url_file: /run/secrets/hook, states: [succeeded]}", Notification(url_file="/run/secrets/hook", states=("succeeded",))),
    ],
)
def test_a_webhook_is_an_address_or_where_it_is_kept(notify: str, expected: Notification) -> None:
    value, found = read(notify)
    assert value is not None, found
    assert value.settings.notify == expected


def test_without_a_webhook_nothing_is_reported() -> None:
    value, _ = read("null")
    assert value is not None
    assert value.settings.notify is None


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("{}", "t.yaml:4:1: E0207: `notify`: write one of url, url_env and url_file"),
        ("{url_env: A, url_file: /b}", "t.yaml:4:1: E0207: `notify`: write one of url, url_env and url_file"),
        ("{url: 'http://hooks.example.net/x'}", "t.yaml:4:15: E0206: `notify.url`: a webhook is an https:// address"),
        ("{url: 'ftp://127.0.0.1/x'}", "a webhook is an https:// address; http:// is for this machine's own loopback alone"),
        ("{url: 'https:///x'}", "the webhook's address names no host"),
        (
            "{url: {secret: 'https://hooks.example.net/s3cret'}}",
            "t.yaml:4:24: E0206: `notify.url.secret`: this is no reference to a secret",
        ),
        ("{url: {secret: 'env:A'}, url_env: A}", "write one of url, url_env and url_file"),
        ("{url: [a]}", "t.yaml:4:10: E0203: `notify.url` must be text, not a list"),
        ("{url_file: hook}", "t.yaml:4:20: E0206: `notify.url_file`: 'hook' is not an absolute path"),
        ("{url_env: A, states: []}", "t.yaml:4:"),
        ("{url_env: A, states: [ended]}", "cannot be `ended`"),
    ],
)
def test_what_may_not_be_written_is_named_at_its_place(notify: str, expected: str) -> None:
    assert expected in " ".join(read(notify)[1])


def test_what_is_wrong_with_a_secret_address_is_said_without_it() -> None:
    for url in ("http://hooks.example.net/s3cret", "s3cret", "https:///s3cret", "https://[s3cret"):
        with pytest.raises(ValueError, match=r"webhook|IPv6") as caught:
            check_webhook(url)
        assert "s3cret" not in str(caught.value)
