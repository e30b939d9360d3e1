"""Whose files are whose: patterns, rules, people, and what is judged of commits."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dtnctl.model.owners import ChangedFiles, Owners, Rule, Signature, Trespass, people_of, read_codeowners, rule_of, trespasses, unmatched

TEXT = """\
# who owns what
*                       @dtn-ops

/state/profiles/        ann@example.net bob@example.net  # not a person
/state/sessions/
!/state/x               eve@example.net
[Section]
a***b                   eve@example.net
"""


def test_a_codeowners_file_is_read_line_by_line() -> None:
    assert read_codeowners(TEXT, "CODEOWNERS") == (
        Rule("*", ("@dtn-ops",), "CODEOWNERS:2"),
        Rule("/state/profiles/", ("ann@example.net", "bob@example.net"), "CODEOWNERS:4"),
        Rule("/state/sessions/", (), "CODEOWNERS:5"),
    )


def test_a_space_in_a_pattern_is_written_with_a_backslash() -> None:
    text = "/my\\ dir/ ann@example.net\n/a\\ #b @x # y\n/c\u3000d\u2028e @x\r\n/f\\"
    found = read_codeowners(text, "CODEOWNERS")
    assert [(rule.pattern, rule.people) for rule in found] == [
        ("/my\\ dir/", ("ann@example.net",)),
        ("/a\\ #b", ("@x",)),
        ("/c\u3000d\u2028e", ("@x",)),
        ("/f\\", ()),
    ]
    assert rule_of(found, "my dir/x") == found[0]


def test_rules_that_match_no_file_are_found() -> None:
    rules = read_codeowners(TEXT, "CODEOWNERS")
    assert unmatched(rules, ("README.md", "state/profiles/a.yaml")) == (rules[2],)


def test_the_last_rule_that_matches_counts() -> None:
    rules = read_codeowners(TEXT, "CODEOWNERS")
    assert [rule_of(rules, path) for path in ("README.md", "state/profiles/a.yaml")] == [rules[0], rules[1]]
    assert rule_of(rules[1:], "README.md") is None


def test_groups_may_name_groups_and_themselves() -> None:
    groups = {"@Ops": ("@net", "cat@example.net"), "@net": ("Ann@Example.net", "@ops")}
    assert people_of(("@ops",), groups) == {"@ops", "@net", "ann@example.net", "cat@example.net"}


ANN, EVE = "ann@example.net", "eve@example.net"
RULES = (Rule("/state/", (ANN, "@bob"), "state/site.yaml:4"), Rule("/state/sessions/", (), "state/site.yaml:5"))


def commit(author: str = ANN, *paths: str, committer: str = "", signature: Signature | None = None) -> ChangedFiles:
    found = paths or ("state/profiles/a.yaml",)
    return ChangedFiles("1234567890", "raise a port", author, committer or author, found, signature or Signature())


def judged(item: ChangedFiles, *, committers: bool = False, signed: bool = False) -> list[tuple[str, str]]:
    return [(found.who, found.path) for found in trespasses((item,), RULES, {}, committers=committers, signed=signed)]


@pytest.mark.parametrize("author", [ANN, "Ann@Example.NET", "bob@users.noreply.github.com", "12345+Bob@users.noreply.github.com"])
def test_owners_may_change_their_files(author: str) -> None:
    assert judged(commit(author)) == []


def test_what_somebody_else_changed_is_named_with_the_rule() -> None:
    found = list(trespasses((commit(EVE, "README.md", "state/a", "state/sessions/b"),), RULES, {}, committers=False, signed=False))
    assert found == [Trespass("1234567890", "raise a port", EVE, "state/a", RULES[0])]


def test_who_committed_it_counts_where_that_is_asked_for() -> None:
    item = commit(ANN, committer=EVE)
    assert judged(item) == []
    assert judged(item, committers=True) == [(f"{EVE}, who committed it", "state/profiles/a.yaml")]
    assert judged(commit(ANN), committers=True) == []


@pytest.mark.parametrize(
    ("signature", "who"),
    [
        (Signature("G", ANN, "SHA256:abc"), ""),
        (Signature("G", EVE, "SHA256:abc"), f"signed by {EVE}"),
        (Signature("U", ANN, "SHA256:abc"), f"{ANN}, without a valid signature"),
        (Signature(), f"{ANN}, without a valid signature"),
    ],
)
def test_with_signatures_the_authors_name_is_not_believed(signature: Signature, who: str) -> None:
    assert judged(commit(ANN, signature=signature), signed=True) == ([(who, "state/profiles/a.yaml")] if who else [])


def test_a_key_may_be_an_owner_by_its_fingerprint() -> None:
    rules = (Rule("*", ("SHA256:AbC",), "x:1"),)
    item = commit(EVE, signature=Signature("G", EVE, "SHA256:AbC"))
    assert not list(trespasses((item,), rules, {}, committers=False, signed=True))


@pytest.mark.parametrize(
    "written",
    [
        {"rules": [{"paths": ["!x"]}]},
        {"rules": [{"paths": ["a[bc]"]}]},
        {"rules": [{"paths": [" "]}]},
        {"rules": [{"paths": ["x"], "people": ["ann"]}]},
        {"groups": {"@ops": ["SHA1:x"]}},
    ],
)
def test_what_no_rule_can_be_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Owners.model_validate(written)


def test_what_rules_can_be_is_taken() -> None:
    people = ["ann@example.net", "@dtn-ops", "@org/team", "SHA256:abc+/=", "A" * 40]
    found = Owners.model_validate({"rules": [{"paths": ["/state/", "*.yaml"], "people": people}], "codeowners": True})
    assert found.rules[0].people == tuple(people)
