"""Names, amounts and annotations: the small forms that objects are made of."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.resources import Attachment
from dtnctl.providers.kubernetes.attachments import attachments_seen, live_addresses
from dtnctl.providers.kubernetes.held_jobs import mount_places
from dtnctl.providers.kubernetes.identity import LONGEST_NAME, object_labels, object_name, short_digest
from dtnctl.providers.kubernetes.lists import is_of
from dtnctl.providers.kubernetes.quantities import amount, byte_count, cpu_text

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
STATE_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", fullmatch=True)


@given(STATE_NAMES, STATE_NAMES, STATE_NAMES)
def test_every_name_of_a_plan_has_one_that_a_cluster_takes(site: str, session: str, endpoint: str) -> None:
    name = object_name(f"{site}.{session}", endpoint)
    assert SUBDOMAIN.fullmatch(name), name
    assert len(name) <= LONGEST_NAME


def test_names_that_become_alike_stay_apart() -> None:
    names = {object_name(name, "dtn") for name in ("a.b", "a.B", "a.b_", "a.b-", f"a.{'b' * 80}", f"a.{'b' * 81}")}
    assert len(names) == 6
    assert object_name("a.b", "dtn") == "a.b.dtn"


def test_values_that_are_no_labels_become_one_by_their_digest() -> None:
    labels = object_labels("a.b", "dtn", (("dtnctl.site", "a-"), ("dtnctl.name", "b"), ("dtnctl.self", "dtn/a.b")))
    assert labels == {
        "app.kubernetes.io/managed-by": "dtnctl",
        "dtnctl.endpoint": "dtn",
        "dtnctl.name": "b",
        "dtnctl.object": "a.b.dtn",
        "dtnctl.site": short_digest("a-"),
    }


def test_an_endpoint_whose_name_is_no_label_knows_its_objects() -> None:
    raw = {"metadata": {"labels": object_labels("a.b", "dtn_", ())}}
    assert (is_of(raw, "dtn_"), is_of(raw, "dtn-"), is_of(raw, "dtn")) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "number"), [("2", 2), ("1500m", 1.5), ("100n", 1e-7), ("1Gi", 2**30), ("1M", 10**6), ("1e3", 1000), ("12E", 12e18), ("x", 0)]
)
def test_amounts_are_read(text: str, number: float) -> None:
    assert float(amount(text)) == number


def test_bytes_are_whole() -> None:
    assert byte_count("1.5Ki") == 1536


@pytest.mark.parametrize(("cpus", "text"), [(2.0, "2"), (0.5, "500m"), (1 / 3, "334m"), (0.0001, "1m")])
def test_cpus_are_written_in_thousandths_rounded_up(cpus: float, text: str) -> None:
    assert cpu_text(cpus) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("net-a", (Attachment("a"),)),
        ("net-a@eth1,other/b", (Attachment("a"), Attachment("other/b"))),
        ('[{"name": "net-a", "ips": ["10.0.0.1/24", "2001:db8::1/64"]}]', (Attachment("a", "10.0.0.1", "2001:db8::1"),)),
        ('[{"name": "b", "namespace": "other"}, 7, {}]', (Attachment("other/b"),)),
        ('{"name": "a"}', ()),
    ],
)
def test_networks_of_others_pods_are_read_in_every_form(text: str, expected: tuple[Attachment, ...]) -> None:
    assert attachments_seen(text, {"net-a": "a"}, "dtn") == expected


def test_status_of_multus_has_the_live_addresses() -> None:
    own = {"name": "cbr0", "default": True, "ips": ["10.42.0.7"]}
    status = [own, {"name": "dtn/net-a", "interface": "net1", "ips": ["10.0.0.1"]}, {"name": "x"}]
    assert live_addresses(json.dumps(status), {"net-a": "a"}, "dtn") == (Attachment("a", "10.0.0.1"), Attachment("bridge", "10.42.0.7"))


def test_folders_of_the_image_get_single_files() -> None:
    assert mount_places(["/root/dtnctl/a", "/root/dtnctl/b/c", "/dtnctl/.keep", "/etc/passwd"]) == [
        "/dtnctl",
        "/etc/passwd",
        "/root/dtnctl",
    ]
