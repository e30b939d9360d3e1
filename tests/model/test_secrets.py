"""A secret's value never shows itself, and its reference is read narrowly."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from pydantic import TypeAdapter, ValidationError

from dtnctl.errors import ConfigError
from dtnctl.model.ownership import spec_digest
from dtnctl.model.resources import ContainerSpec
from dtnctl.model.secrets import (
    LABEL_SECRETS,
    Reference,
    SecretValue,
    SecretVariable,
    hidden_in,
    parse_reference,
    secrets_in,
    secrets_label,
)
from tests.planning.building import site

CANARY = "canary-0123456789abcdef"
PRINT = "k1:" + "0" * 32


def test_a_value_is_hidden_from_every_form_of_text() -> None:
    value = SecretValue(CANARY)
    texts = [repr(value), str(value), f"{value}", f"{value:>40}", f"{value!r}", "%s" % value, repr([value]), repr({"a": value})]  # noqa: UP031
    assert {CANARY in text for text in texts} == {False}
    assert value.reveal() == CANARY


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, copy.copy, copy.deepcopy])
def test_a_value_cannot_be_written_down_or_copied(write: object) -> None:
    assert callable(write)
    with pytest.raises(TypeError) as caught:
        write(SecretValue(CANARY))
    assert CANARY not in str(caught.value)


def test_a_value_is_read_from_no_file() -> None:
    adapter = TypeAdapter(SecretValue)
    value = SecretValue(CANARY)
    assert adapter.validate_python(value) is value
    for read in (adapter.validate_python, lambda text: adapter.validate_json(json.dumps(text))):
        with pytest.raises(ValidationError):
            read(CANARY)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:TOKEN", Reference("env", "TOKEN")),
        ("file:/run/secrets/token", Reference("file", "/run/secrets/token")),
        ("file:keys/token 2", Reference("file", "keys/token 2")),
        ("sops:secrets.yaml#s3.token", Reference("sops", "secrets.yaml", ("s3", "token"))),
        ("sops:a/b.json#list.0", Reference("sops", "a/b.json", ("list", "0"))),
    ],
)
def test_references_are_taken_apart(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text", [CANARY, "", "env:", "env:A-B", "env:9", "file:", "file:a\nb", "sops:a.yaml", "sops:a.yaml#", "sops:a#b..c", "vault:x"]
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="no reference to a secret") as caught:
        parse_reference(text)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("written", [CANARY, f'"{CANARY}"', "4711471147114711"])
def test_a_secret_that_was_written_in_place_of_a_reference_is_not_repeated(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        site(f"# profiles/p\nenv: {{TOKEN: {{secret: {written}}}}}\n")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (1, 23)
    assert written.strip('"') not in str(problem)


def test_only_variables_that_dtnctl_does_not_set_may_be_secrets() -> None:
    with pytest.raises(ConfigError, match="CTRL_PORT cannot be a secret"):
        site("# profiles/p\nenv: {CTRL_PORT: {secret: env:X}}\n")


def test_other_keys_beside_the_reference_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown key `mode`"):
        site("# profiles/p\nenv: {TOKEN: {secret: env:X, mode: ro}}\n")


def test_the_label_says_names_and_fingerprints() -> None:
    variables = (SecretVariable("A", PRINT, "env:A"), SecretVariable("B", "", "env:B"))
    assert secrets_in({LABEL_SECRETS: secrets_label(variables)}) == {"A": PRINT, "B": ""}


@pytest.mark.parametrize("text", ["[]", "{", "3", "[" * 100_000])
def test_a_label_that_is_none_of_ours_names_no_variables(text: str) -> None:
    assert secrets_in({LABEL_SECRETS: text}) == {}
    assert secrets_in({}) == {}


def test_a_fingerprint_in_a_label_that_is_none_counts_as_not_known() -> None:
    assert secrets_in({LABEL_SECRETS: '{"A": "x", "B": 3}'}) == {"A": "", "B": ""}


def test_the_digest_of_a_container_changes_with_its_secrets_and_only_with_them() -> None:
    plain = ContainerSpec("dtn:1")
    first, same, other = (
        ContainerSpec("dtn:1", secrets=(SecretVariable("A", text, reference),))
        for text, reference in ((PRINT, "env:A"), (PRINT, "env:B"), (PRINT[:-1] + "1", "env:A"))
    )
    assert spec_digest(first) == spec_digest(same)
    assert len({spec_digest(item) for item in (plain, first, other)}) == 3


def test_texts_are_shown_without_values_and_without_their_longer_lines() -> None:
    key = SecretValue("-----BEGIN-----\nMIIEvQIBADANBg\nab\n")
    text = f"MIIEvQIBADANBg is in the log, ab too, {CANARY} as well"
    assert hidden_in(text, [key, SecretValue(CANARY), SecretValue("")]) == "(secret) is in the log, ab too, (secret) as well"
