"""Secrets are looked up once, where they are, and what cannot be used is an error without a value in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import LARGEST, SecretSource

LONG = "canary-0123456789abcdef"
KEYED = {"TOKEN": LONG, "SHORT": "1234", "KEY": "k" * 32, "EMPTY": "", "LINES": "one line\nanother", "BLANK": "  "}


def source(root: Path, key: str = "", salt: str = "lab/", **environment: str) -> SecretSource:
    return SecretSource(root, KEYED | environment, salt, key)


def test_a_variable_and_a_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{LONG}\n")
    (tmp_path / "key.pem").write_bytes(b"a\nb\r\n")
    found = source(tmp_path)
    assert found.look_up("env:TOKEN").reveal() == found.look_up("file:token").reveal() == LONG
    assert found.look_up("file:key.pem").reveal() == "a\nb"
    assert found.look_up(f"file:{tmp_path}/token").reveal() == LONG


def test_a_reference_is_looked_up_once(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(LONG)
    found = source(tmp_path)
    found.look_up("file:token")
    (tmp_path / "token").write_text("another one of them")
    assert found.look_up("file:token").reveal() == LONG
    with pytest.raises(SecretError):
        found.look_up("file:later")
    (tmp_path / "later").write_text(LONG)
    with pytest.raises(SecretError):
        found.look_up("file:later")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:NOSUCH", "the environment variable NOSUCH is not set"),
        ("env:EMPTY", "it is empty"),
        ("file:nosuch", "there is no file nosuch"),
        ("file:.", "there is no file ."),
        ("file:binary", "binary holds no UTF-8 text"),
        ("file:nul", "it has a NUL character, which no variable can hold"),
        ("file:large", f"it is larger than {LARGEST} bytes"),
        ("sops:nosuch.yaml#a", "there is no file nosuch.yaml"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, reference: str, reason: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "nul").write_bytes(b"canary\0")
    (tmp_path / "large").write_text("x" * (LARGEST + 1))
    with pytest.raises(SecretError, match=f"^{reason}$"):
        source(tmp_path).look_up(reference)


def test_a_path_that_no_system_takes_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"cannot read xxx.*: file name too long"):
        source(tmp_path).look_up(f"file:{'x' * 5000}")


def test_fingerprints_are_equal_for_equal_values_of_one_site_alone(tmp_path: Path) -> None:
    first, again, other_site = source(tmp_path), source(tmp_path, COPY=LONG), source(tmp_path, salt="other/")
    assert first.fingerprint("env:TOKEN") == again.fingerprint("env:COPY") == first.fingerprint("env:TOKEN")
    assert len({first.fingerprint("env:TOKEN"), other_site.fingerprint("env:TOKEN"), first.fingerprint("env:LINES")}) == 3
    assert first.fingerprint("env:TOKEN").startswith("s1:")


def test_with_a_key_fingerprints_are_those_of_the_key(tmp_path: Path) -> None:
    keyed, other = source(tmp_path, "env:KEY"), source(tmp_path, "env:KEY", KEY="l" * 32)
    assert keyed.fingerprint("env:TOKEN") != other.fingerprint("env:TOKEN")
    assert keyed.fingerprint("env:SHORT").startswith("k1:")


def test_a_short_secret_needs_a_key_since_its_fingerprint_could_be_guessed(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="fewer than 16 characters, so its fingerprint could be guessed"):
        source(tmp_path).fingerprint("env:SHORT")


@pytest.mark.parametrize(("key", "reason"), [("env:NOSUCH", "is missing: the environment variable"), ("env:SHORT", "fewer than 16")])
def test_without_the_site_s_key_or_with_a_short_one_there_are_no_fingerprints(tmp_path: Path, key: str, reason: str) -> None:
    with pytest.raises(SecretError, match=reason):
        source(tmp_path, key).fingerprint("env:TOKEN")
    assert source(tmp_path, key).fingerprints({"env:TOKEN"}) == {}


def test_of_several_those_that_can_be_looked_up_have_fingerprints(tmp_path: Path) -> None:
    assert source(tmp_path).fingerprints({"env:TOKEN", "env:NOSUCH"}).keys() == {"env:TOKEN"}


def test_a_container_gets_the_values_that_were_planned_with_and_no_others(tmp_path: Path) -> None:
    planned = SecretVariable("T", source(tmp_path).fingerprint("env:TOKEN"), "env:TOKEN")
    assert source(tmp_path).values((planned,))["T"].reveal() == LONG
    with pytest.raises(EngineError, match="T: env:TOKEN is not the secret that was planned with") as caught:
        source(tmp_path, TOKEN="changed since it was planned").values((planned,))
    assert "changed since" not in str(caught.value).partition("plan again")[0].replace("planned", "")
    with pytest.raises(EngineError, match="cannot be looked up: the environment variable NOSUCH is not set"):
        source(tmp_path).values((SecretVariable("T", "", "env:NOSUCH"),))


def test_a_password_is_one_line_of_text(tmp_path: Path) -> None:
    assert source(tmp_path, PADDED=f" {LONG}\n").line("env:PADDED") == LONG
    for name in ("LINES", "BLANK"):
        with pytest.raises(SecretError, match="it is not one line of text"):
            source(tmp_path).line(f"env:{name}")


def test_only_values_that_were_looked_up_are_taken_out_of_texts(tmp_path: Path) -> None:
    found = source(tmp_path, OTHER="canary-of-another-kind")
    found.look_up("env:TOKEN")
    with pytest.raises(SecretError):
        found.look_up("env:NOSUCH")
    assert found.hidden_in(f"{LONG}!") == "(secret)!"
