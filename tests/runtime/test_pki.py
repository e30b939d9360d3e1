"""Certificates of the site's own: made once, kept while they are good, never readable for others."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.runtime import pki

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMES = ("dtn3.example.net", "192.0.2.1", "fd00::1")


def test_a_ca_and_a_client_certificate_are_made_once(tmp_path: Path) -> None:
    first = pki.ensure_authority(tmp_path, "demo", NOW)
    assert pki.ensure_client(tmp_path, first, "demo", NOW)
    assert pki.ensure_authority(tmp_path, "demo", NOW).certificate == first.certificate
    assert not pki.ensure_client(tmp_path, first, "demo", NOW)


def test_nobody_else_may_read_them_and_git_does_not_see_them(tmp_path: Path) -> None:
    pki.ensure_client(tmp_path, pki.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)
    assert stat.S_IMODE((tmp_path / pki.FOLDER).stat().st_mode) == 0o700
    for name in (pki.CA, pki.CA_KEY, pki.CLIENT, pki.CLIENT_KEY):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / pki.FOLDER / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in (tmp_path / pki.FOLDER).iterdir() if path.name.startswith(".")) == [".gitignore"]


def test_a_client_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    authority = pki.ensure_authority(tmp_path, "demo", NOW)
    pki.ensure_client(tmp_path, authority, "demo", NOW)
    assert not pki.ensure_client(tmp_path, authority, "demo", NOW + timedelta(days=600))
    assert pki.ensure_client(tmp_path, authority, "demo", NOW + timedelta(days=700))


def test_a_client_certificate_of_another_ca_is_replaced(tmp_path: Path) -> None:
    pki.ensure_client(tmp_path, pki.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)
    (tmp_path / pki.CA).unlink()
    (tmp_path / pki.CA_KEY).unlink()
    assert pki.ensure_client(tmp_path, pki.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)


def test_a_hosts_certificate_serves_its_names_for_a_while(tmp_path: Path) -> None:
    authority = pki.ensure_authority(tmp_path, "demo", NOW)
    pem = pki.issue_server(authority, NAMES, NOW).certificate_pem
    assert pki.still_serves(pem, authority, NAMES, NOW)
    assert pki.still_serves(pem, authority, NAMES[1:], NOW)
    assert not pki.still_serves(pem, authority, (*NAMES, "192.0.2.2"), NOW)
    assert not pki.still_serves(pem, authority, NAMES, NOW + timedelta(days=700))
    assert not pki.still_serves(b"", authority, NAMES, NOW)
    assert not pki.still_serves(pem, pki.ensure_authority(tmp_path / "other", "other", NOW), NAMES, NOW)


def test_our_own_certificate_serves_no_host(tmp_path: Path) -> None:
    authority = pki.ensure_authority(tmp_path, "demo", NOW)
    pki.ensure_client(tmp_path, authority, "demo", NOW)
    assert not pki.still_serves((tmp_path / pki.CLIENT).read_bytes(), authority, ("demo",), NOW)


@pytest.mark.parametrize("broken", [pki.CA, pki.CA_KEY])
def test_a_ca_that_is_broken_is_told_and_not_replaced(tmp_path: Path, broken: str) -> None:
    pki.ensure_authority(tmp_path, "demo", NOW)
    (tmp_path / broken).write_text("x")
    with pytest.raises(UsageError, match="are no certificate and its key"):
        pki.ensure_authority(tmp_path, "demo", NOW)
    (tmp_path / broken).unlink()
    with pytest.raises(UsageError, match="put both back, or remove both"):
        pki.ensure_authority(tmp_path, "demo", NOW)


def test_a_ca_whose_key_is_anothers_is_told(tmp_path: Path) -> None:
    pki.ensure_authority(tmp_path, "demo", NOW)
    pki.ensure_authority(tmp_path / "other", "demo", NOW)
    (tmp_path / pki.CA_KEY).write_bytes((tmp_path / "other" / pki.CA_KEY).read_bytes())
    with pytest.raises(UsageError, match="is not the key of"):
        pki.ensure_authority(tmp_path, "demo", NOW)


def test_a_ca_that_has_expired_is_told(tmp_path: Path) -> None:
    pki.ensure_authority(tmp_path, "demo", NOW)
    with pytest.raises(UsageError, match="has expired"):
        pki.ensure_authority(tmp_path, "demo", NOW + timedelta(days=4000))
