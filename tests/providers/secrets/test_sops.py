"""What sops says becomes a value, or an error in words: the real sops where it is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dtnctl.providers.secrets import sops
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource
from tests.sops_program import IS_REAL, prepare

CANARY = "canary-0123456789abcdef"
CONTENT: dict[str, Any] = {
    "s3": {"token": CANARY, "port": 4711, "ratio": 1.10, "on": True, "off": False, "nothing": None},
    "users": [{"name": "ann", "password": CANARY}],
}


def source(tmp_path: Path, **more: str) -> SecretSource:
    needed = prepare(tmp_path / "outside", tmp_path / "secrets.yaml", CONTENT)
    return SecretSource(tmp_path, needed | more, "lab/")


@pytest.mark.parametrize(
    ("keys", "value"),
    [("s3.token", CANARY), ("s3.port", "4711"), ("s3.ratio", "1.1"), ("s3.on", "true"), ("s3.off", "false"), ("users.0.password", CANARY)],
)
def test_values_are_texts_as_they_are_written(tmp_path: Path, keys: str, value: str) -> None:
    assert source(tmp_path).look_up(f"sops:secrets.yaml#{keys}").reveal() == value


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("s3.nosuch", "there is no s3.nosuch in it"),
        ("nosuch.token", "there is no nosuch in it"),
        ("s3.token.deeper", "there is no s3.token.deeper in it"),
        ("users.1", "there is no users.1 in it"),
        ("users.name", "there is no users.name in it"),
        ("s3", "s3 is a mapping, not one value"),
        ("users", "users is a list, not one value"),
        ("s3.nothing", "s3.nothing is empty, not one value"),
    ],
)
def test_a_key_that_leads_to_no_value_is_named(tmp_path: Path, keys: str, reason: str) -> None:
    with pytest.raises(SecretError, match=f"^{reason}$"):
        source(tmp_path).look_up(f"sops:secrets.yaml#{keys}")


def test_without_the_key_sops_s_own_words_are_shown(tmp_path: Path) -> None:
    said = r"^secrets\.yaml: sops ended with 128: Failed to get the data key .*failed to open SOPS_AGE_KEY_FILE file: open"
    with pytest.raises(SecretError, match=said):
        source(tmp_path, SOPS_AGE_KEY_FILE=str(tmp_path / "nosuch"), HOME=str(tmp_path)).look_up("sops:secrets.yaml#s3.token")


def test_a_file_that_is_not_encrypted_is_an_error(tmp_path: Path) -> None:
    found = source(tmp_path)
    (tmp_path / "plain.yaml").write_text("token: x\n")
    with pytest.raises(SecretError, match=r"^plain\.yaml: sops ended with 1: .*metadata not found"):
        found.look_up("sops:plain.yaml#token")


def test_without_sops_that_is_what_is_said(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"^secrets\.yaml: the program sops is not installed here$"):
        source(tmp_path, PATH=str(tmp_path)).look_up("sops:secrets.yaml#s3.token")


def program(tmp_path: Path, script: str) -> dict[str, str]:
    """A `sops` that does what no real one should."""
    path = tmp_path / "bin" / "sops"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.skipif(IS_REAL, reason="the calls of the real sops cannot be counted")
def test_a_file_is_decrypted_once_for_all_its_values(tmp_path: Path) -> None:
    found = source(tmp_path)
    for keys in ("s3.token", "s3.port", "users.0.name", "s3.nosuch"):
        found.fingerprints({f"sops:secrets.yaml#{keys}"})
    assert (tmp_path / "outside/calls").read_text() == "call\n"


def test_what_is_no_json_is_an_error_without_a_word_of_it(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"^what sops wrote is no JSON$"):
        sops.decrypt(tmp_path, tmp_path, program(tmp_path, f"echo '{{ {CANARY}'"))


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    environment = program(tmp_path, "")
    (tmp_path / "bin/sops").write_text("#!/nosuch/interpreter\n")
    with pytest.raises(SecretError, match="sops cannot be started"):
        sops.decrypt(tmp_path, tmp_path, environment)


def test_values_of_variables_are_kept_out_of_what_sops_says_and_much_of_it_is_cut(tmp_path: Path) -> None:
    script = f'i=0; while [ $i -lt 9 ]; do echo "line $i {CANARY} {"x" * 400}" >&2; i=$((i+1)); done; exit 3'
    environment = {**program(tmp_path, script), "VAULT_TOKEN": CANARY, "OTHER_KEY": "x"}
    with pytest.raises(SecretError) as caught:
        sops.decrypt(tmp_path, tmp_path, environment)
    text = str(caught.value)
    assert CANARY not in text
    assert text.startswith("sops ended with 3: line 0 (value of VAULT_TOKEN) ")
    assert "line 7" in text
    assert "line 8" not in text
    assert len(text) < 1700


def test_a_program_that_says_nothing_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"^sops ended with 2: it said nothing$"):
        sops.decrypt(tmp_path, tmp_path, program(tmp_path, "exit 2"))


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="has not decrypted it within 0 s"):
        sops.decrypt(tmp_path, tmp_path, program(tmp_path, "exec tail -f /dev/null"), patience=0.05)
