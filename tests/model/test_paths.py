"""Paths between sites: what a file may say, how a provider is described, and how ours are known at a provider."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.path_files import NetworkPath, PathProvider, parse_vlans
from dtnctl.model.path_kinds import ASKED_KINDS, PATH_KINDS, STATIC
from dtnctl.model.paths import PathOwner, PathProviderSeen, PathSeen, PathSpec
from dtnctl.model.site_settings import SiteSettings

ENDS = [{"endpoint": "dtn1"}, {"endpoint": "dtn2"}]
OPTIONS = {"requester": "urn:ogf:network:a:2026:nsa:dtn", "aggregator": "urn:ogf:network:b:2026:nsa:agg"}
NSI = {"kind": "nsi", "url": "https://nsi.example.net/api/", "options": OPTIONS}
TOKEN = {"secret": "env:NSI_TOKEN"}


def path(**fields: Any) -> NetworkPath:
    return NetworkPath.model_validate({"ends": ENDS, "vlan": 1790, **fields})


def refusal(model: Any, value: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    return str(caught.value.errors()[0]["msg"]).removeprefix("Value error, ")


# --- state/paths/ -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"), [(1790, (1790, 1790)), ("1790", (1790, 1790)), ("1780-1799", (1780, 1799)), ((1780, 1799), (1780, 1799))]
)
def test_vlan_is_an_id_or_a_range(written: Any, meant: tuple[int, int]) -> None:
    assert parse_vlans(written) == meant


@pytest.mark.parametrize("written", [True, 0, 4095, "1799-1780", "any", "10-20-30", 1.5, [1, 2]])
def test_vlan_is_nothing_else(written: Any) -> None:
    with pytest.raises(ValueError, match="VLAN"):
        parse_vlans(written)


def test_path_has_one_vlan_where_there_is_nothing_to_choose() -> None:
    assert path().only_vlan == 1790
    assert path(vlan="1780-1799").only_vlan is None


def test_somebody_else_made_a_path_unless_it_says_who_makes_it() -> None:
    assert path().provider == STATIC


def test_endpoints_of_a_path_are_in_name_order() -> None:
    assert path(ends=[{"endpoint": "b"}, {"port": "urn:x"}, {"endpoint": "a", "port": "urn:y"}]).endpoints == ("a", "b")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ends": [{"endpoint": "a"}, {}]}, "write `endpoint`, `port` or both"),
        ({"ends": [{"endpoint": "a"}, {"endpoint": "a"}]}, "endpoint `a` is written for two ends"),
        ({"ends": [{"endpoint": "a", "port": "p"}, {"port": "p"}]}, "port `p` is written for two ends"),
        ({"ends": [{"port": "p"}, {"port": "q"}]}, "no end is at an endpoint; write `endpoint` at one of them at least"),
        ({"window": {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}}, "`until` is not after `from`"),
    ],
)
def test_path_that_cannot_be_is_refused(fields: dict[str, Any], why: str) -> None:
    assert refusal(NetworkPath, {"ends": ENDS, "vlan": 1790, **fields}) == why


def test_window_may_have_one_edge() -> None:
    window = path(window={"until": "2026-12-01T00:00:00Z"}).window
    assert window is not None
    assert window.from_ is None


# --- site.yaml ----------------------------------------------------------------------------------------------


def test_provider_is_of_a_kind_with_an_address_a_login_and_options() -> None:
    found = PathProvider.model_validate({**NSI, "token": TOKEN})
    assert (found.row, found.url) == (PATH_KINDS["nsi"], "https://nsi.example.net/api")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "static"}, f"`static` is no kind of path provider; write one of {', '.join(ASKED_KINDS)}"),
        (
            {"url": "http://nsi.example.net"},
            "`http://nsi.example.net` is no address; write https://… without a login, a query or a fragment",
        ),
        ({"url": "https://u:p@nsi.example.net"}, None),
        ({"url": "https://nsi.example.net/?x=1"}, None),
        ({"password": TOKEN}, "a login at nsi is nothing or token or cert and key, and not password"),
        ({"options": {**OPTIONS, "request": "x"}}, "nsi has no option `request`; it has aggregator, callback, requester, service_type"),
        ({"options": {}}, "nsi needs the option `requester` under `options:`"),
    ],
)
def test_provider_that_cannot_be_is_refused(fields: dict[str, Any], why: str | None) -> None:
    said = refusal(PathProvider, {**NSI, **fields})
    assert said == why if why is not None else "is no address" in said


def test_login_that_is_needed_and_missing_is_named() -> None:
    text = refusal(PathProvider, {**NSI, "cert": "c.pem"})
    assert text == "a login at nsi is nothing or token or cert and key, and not cert"


def test_provider_on_this_very_machine_needs_no_tls() -> None:
    assert PathProvider.model_validate({**NSI, "url": "http://127.0.0.1:8080/api"}).url == "http://127.0.0.1:8080/api"


def test_secrets_are_sent_to_addresses_with_tls_alone() -> None:
    login = {"user": "u", "password": TOKEN, "client_secret": TOKEN}
    sense = {"kind": "sense", "url": "https://sense.example.net/api", **login}
    assert (
        PathProvider.model_validate({**sense, "options": {"auth": "https://keycloak.example.net/token", "client": "c"}}).row.name == "sense"
    )
    text = refusal(PathProvider, {**sense, "options": {"auth": "http://keycloak.example.net/token", "client": "c"}})
    assert text == "`http://keycloak.example.net/token` is no address; write https://… without a login, a query or a fragment"


def test_site_knows_its_providers_and_the_one_that_every_site_has() -> None:
    settings = SiteSettings.model_validate({"name": "lab", "path_providers": {"anagram": NSI}})
    assert settings.path_kind("anagram") is PATH_KINDS["nsi"]
    assert settings.path_kind(STATIC) is PATH_KINDS[STATIC]
    assert settings.path_kind("sense") is None


def test_every_kind_but_static_is_asked_and_says_what_its_options_mean() -> None:
    assert [name for name, row in PATH_KINDS.items() if not row.is_asked] == [STATIC]
    assert all(set(row.required) <= row.options.keys() for row in PATH_KINDS.values())
    assert all(row.modifies <= row.shows for row in PATH_KINDS.values())


# --- at a provider ------------------------------------------------------------------------------------------

OWNER = PathOwner("scinet", "0123456789ab")
SPEC = PathSpec("a2b", "anagram", ("dtn1", "dtn2"))


def test_mark_says_whose_path_it_is_and_which_endpoints_it_is_for() -> None:
    assert OWNER.mark(SPEC) == "dtnctl:0123456789ab:scinet/a2b dtn1 dtn2"
    assert OWNER.read_mark(OWNER.mark(SPEC)) == ("a2b", ("dtn1", "dtn2"))
    assert PathOwner("scinet").read_mark("dtnctl::scinet/a2b") == ("a2b", ())


@pytest.mark.parametrize("text", ["", "a circuit", "dtnctl:0123456789ab:other/a2b", "dtnctl:ffffffffffff:scinet/a2b", "dtnctl::scinet/a2b"])
def test_marks_of_others_are_not_ours(text: str) -> None:
    assert OWNER.read_mark(text) is None


def test_id_is_always_the_same_for_one_path_and_another_one_for_another() -> None:
    ids = [OWNER.id_of("a2b"), OWNER.id_of("a2c"), PathOwner("other", "0123456789ab").id_of("a2b"), PathOwner("scinet").id_of("a2b")]
    assert len(set(ids)) == 4
    assert OWNER.id_of("a2b") == ids[0]


def test_owner_that_adopts_knows_paths_from_before_its_repository_had_an_id() -> None:
    former, owner = PathOwner("scinet"), PathOwner("scinet", "0123456789ab", adopts=True)
    assert owner.read_mark(former.mark(SPEC)) == OWNER.read_mark(OWNER.mark(SPEC))
    assert owner.read_mark(OWNER.mark(SPEC)) == OWNER.read_mark(OWNER.mark(SPEC))
    assert owner.read_mark("dtnctl:ffffffffffff:scinet/a2b") is None
    assert owner.ids_of("a2b") == (OWNER.id_of("a2b"), former.id_of("a2b"))
    assert OWNER.ids_of("a2b") == (OWNER.id_of("a2b"),)


def test_path_of_a_name_is_the_one_that_is_of_use_else_the_last_that_was() -> None:
    old, newer = (PathSeen(number, "released", SPEC) for number in ("1", "2"))
    live = PathSeen("3", "active", SPEC)
    assert PathProviderSeen("anagram", paths=(old, live, newer)).named("a2b") is live
    assert PathProviderSeen("anagram", paths=(old, newer)).named("a2b") is newer
    assert PathProviderSeen("anagram", paths=(live,)).named("a2c") is None


def test_path_of_a_name_is_not_one_that_failed_beside_one_that_is_of_use() -> None:
    """The failed one was replaced, and the active one released, because it came second."""
    live, failed, going = PathSeen("3", "active", SPEC), PathSeen("4", "failed", SPEC), PathSeen("5", "releasing", SPEC)
    assert PathProviderSeen("anagram", paths=(failed, going, live)).named("a2b") is live
    assert PathProviderSeen("anagram", paths=(PathSeen("1", "released", SPEC), failed)).named("a2b") is failed
