"""Certificates of the site's own: made once, kept while they are good, never readable for others."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.installing import certificates

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMES = ("dtn3.example.net", "192.0.2.1", "fd00::1")


def test_a_ca_and_a_client_certificate_are_made_once(tmp_path: Path) -> None:
    first = certificates.ensure_authority(tmp_path, "demo", NOW)
    assert certificates.ensure_client(tmp_path, first, "demo", NOW)
    assert certificates.ensure_authority(tmp_path, "demo", NOW).certificate == first.certificate
    assert not certificates.ensure_client(tmp_path, first, "demo", NOW)


def test_nobody_else_may_read_them_and_git_does_not_see_them(tmp_path: Path) -> None:
    certificates.ensure_client(tmp_path, certificates.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)
    assert stat.S_IMODE((tmp_path / certificates.FOLDER).stat().st_mode) == 0o700
    for name in (certificates.CA, certificates.CA_KEY, certificates.CLIENT, certificates.CLIENT_KEY):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / certificates.FOLDER / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in (tmp_path / certificates.FOLDER).iterdir() if path.name.startswith(".")) == [".gitignore"]


def test_a_client_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path, "demo", NOW)
    certificates.ensure_client(tmp_path, authority, "demo", NOW)
    assert not certificates.ensure_client(tmp_path, authority, "demo", NOW + timedelta(days=600))
    assert certificates.ensure_client(tmp_path, authority, "demo", NOW + timedelta(days=700))


def test_a_client_certificate_of_another_ca_is_replaced(tmp_path: Path) -> None:
    certificates.ensure_client(tmp_path, certificates.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)
    (tmp_path / certificates.CA).unlink()
    (tmp_path / certificates.CA_KEY).unlink()
    assert certificates.ensure_client(tmp_path, certificates.ensure_authority(tmp_path, "demo", NOW), "demo", NOW)


def test_a_hosts_certificate_serves_its_names_for_a_while(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path, "demo", NOW)
    pem = certificates.issue_server(authority, NAMES, NOW).certificate_pem
    assert certificates.still_serves(pem, authority, NAMES, NOW)
    assert certificates.still_serves(pem, authority, NAMES[1:], NOW)
    assert not certificates.still_serves(pem, authority, (*NAMES, "192.0.2.2"), NOW)
    assert not certificates.still_serves(pem, authority, NAMES, NOW + timedelta(days=700))
    assert not certificates.still_serves(b"", authority, NAMES, NOW)
    assert not certificates.still_serves(pem, certificates.ensure_authority(tmp_path / "other", "other", NOW), NAMES, NOW)


def test_our_own_certificate_serves_no_host(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path, "demo", NOW)
    certificates.ensure_client(tmp_path, authority, "demo", NOW)
    assert not certificates.still_serves((tmp_path / certificates.CLIENT).read_bytes(), authority, ("demo",), NOW)


@pytest.mark.parametrize("broken", [certificates.CA, certificates.CA_KEY])
def test_a_ca_that_is_broken_is_told_and_not_replaced(tmp_path: Path, broken: str) -> None:
    certificates.ensure_authority(tmp_path, "demo", NOW)
    (tmp_path / broken).write_text("x")
    with pytest.raises(UsageError, match="are no certificate and its key"):
        certificates.ensure_authority(tmp_path, "demo", NOW)
    (tmp_path / broken).unlink()
    with pytest.raises(UsageError, match="put both back, or remove both"):
        certificates.ensure_authority(tmp_path, "demo", NOW)


def test_a_ca_whose_key_is_anothers_is_told(tmp_path: Path) -> None:
    certificates.ensure_authority(tmp_path, "demo", NOW)
    certificates.ensure_authority(tmp_path / "other", "demo", NOW)
    (tmp_path / certificates.CA_KEY).write_bytes((tmp_path / "other" / certificates.CA_KEY).read_bytes())
    with pytest.raises(UsageError, match="is not the key of"):
        certificates.ensure_authority(tmp_path, "demo", NOW)


def test_a_ca_that_has_expired_is_told(tmp_path: Path) -> None:
    certificates.ensure_authority(tmp_path, "demo", NOW)
    with pytest.raises(UsageError, match="has expired"):
        certificates.ensure_authority(tmp_path, "demo", NOW + timedelta(days=4000))
