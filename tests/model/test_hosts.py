"""Hosts: what may be written, in which form it is kept, and which of them are the reader's own machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.hosts import is_address, is_loopback, parse_host, same_host


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("dtn1.example.net", "dtn1.example.net"),
        ("DTN1.Example.Net.", "DTN1.Example.Net."),
        ("dtn_1", "dtn_1"),
        ("3com.example", "3com.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("0:0:0:0:0:0:0:1", "::1"),
    ],
)
def test_a_host_is_a_name_or_an_address_in_one_form(text: str, kept: str) -> None:
    assert parse_host(text) == kept
    assert parse_host(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "a b", " a", "a\n", "a\tb", "http://a", "//a", "a/", "a:22", "10.0.0.1:22", "[::1]:22", "[::1]", "u@a", "u:p@a",
        "-oProxyCommand=x", "a-.b", "a..b", ".a", "a,b", "a;b", "$(a)", "a%b", "*", "é.example", "x" * 64, "a." * 130,
        "127.1", "1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "010.0.0.1", "10.0.0.300", "10.0.0.1.", "a.1",
        "fe80::1%eth0", "1::2::3", "0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a DNS name or an IP address and nothing else"):
        parse_host(text)


@given(st.text(max_size=40))
def test_what_is_accepted_means_nothing_to_a_shell_a_url_or_an_option_parser(text: str) -> None:
    try:
        kept = parse_host(text)
    except ValueError:
        return
    assert kept.isascii()
    assert set(kept) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-")
    assert not kept.startswith("-")
    assert (":" in kept) <= is_address(kept)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.255.0.9", "::1", "localhost", "LocalHost.", "dtn.localhost", "localhost.localdomain", "localhost4",
        "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "0.0.0.0", "::", "::ffff:127.0.0.1",
    ],
)  # fmt: skip
def test_loopback_has_many_names(host: str) -> None:
    assert is_loopback(host)
    assert same_host(host, "127.0.0.1")


@pytest.mark.parametrize("host", ["10.0.0.1", "128.0.0.1", "fd00::1", "localhost.example.net", "mylocalhost", "dtn1"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_one_host_may_be_written_in_several_ways() -> None:
    assert same_host("dtn1.example.net", "DTN1.example.net.")
    assert same_host("fd00::1", "fd00:0::0001")
    assert not same_host("10.0.0.1", "10.0.0.2")
