"""The site's own certificates for its agents: a CA, one client certificate for dtnctl, a server certificate for each host.

The CA's key and the client's stay in one folder that Git ignores. A server's key is made here, goes to its host, and is not kept.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dtnctl.errors import UsageError

FOLDER = ".secrets"
CA, CA_KEY = f"{FOLDER}/agent-ca.pem", f"{FOLDER}/agent-ca-key.pem"
CLIENT, CLIENT_KEY = f"{FOLDER}/agent-client.pem", f"{FOLDER}/agent-client-key.pem"
LIFE_OF_CA = timedelta(days=3650)
LIFE = timedelta(days=730)
RENEWED_BEFORE = timedelta(days=60)  # the end
SKEW = timedelta(days=1)  # clocks that are behind ours
LONGEST_NAME = 64  # of a common name (X.520)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def ensure_authority(root: Path, site: str, now: datetime) -> Pair:
    """The site's CA, made if there is none. UsageError if what is there is broken or has expired: a new one would lock us out of hosts."""
    if not (root / CA).exists() and not (root / CA_KEY).exists():
        _write_pair(root, CA, CA_KEY, _make_authority(f"dtnctl {site} agents", now))
    found = _read_pair(root, CA, CA_KEY)
    if found.certificate.not_valid_after_utc <= now:
        raise UsageError(f"{CA} has expired; remove {CA} and {CA_KEY}, and add every endpoint again")
    return found


def ensure_client(root: Path, authority: Pair, site: str, now: datetime) -> bool:
    """dtnctl's own certificate is there and good for a while; whether it was made now. Its name is what agents write down: the site's."""
    if (root / CLIENT).exists() and (root / CLIENT_KEY).exists():
        found = _read_pair(root, CLIENT, CLIENT_KEY).certificate
        if _is_of(found, authority, ExtendedKeyUsageOID.CLIENT_AUTH, now):
            return False
    _write_pair(root, CLIENT, CLIENT_KEY, _issue(authority, (site,), ExtendedKeyUsageOID.CLIENT_AUTH, now))
    return True


def issue_server(authority: Pair, names: Sequence[str], now: datetime) -> Pair:
    """A new certificate for a host with these names and addresses."""
    return _issue(authority, names, ExtendedKeyUsageOID.SERVER_AUTH, now)


def still_serves(pem: bytes, authority: Pair, names: Iterable[str], now: datetime) -> bool:
    """Whether a host's certificate is ours, is for these names, and is good for a while yet."""
    try:
        found = x509.load_pem_x509_certificate(pem)
        there = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return set(_alternatives(names)) <= set(there) and _is_of(found, authority, ExtendedKeyUsageOID.SERVER_AUTH, now)


def _is_of(certificate: x509.Certificate, authority: Pair, use: x509.ObjectIdentifier, now: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except Exception:  # noqa: BLE001  # InvalidSignature, ValueError, TypeError …: whatever it is, it is not ours
        return False
    return use in uses and certificate.not_valid_after_utc - RENEWED_BEFORE > now


# --- making -----------------------------------------------------------------------------------------------------------


def _make_authority(name: str, now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(subject, subject, key.public_key(), now, LIFE_OF_CA)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(builder.sign(key, SHA256()), key)


def _issue(authority: Pair, names: Sequence[str], use: x509.ObjectIdentifier, now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    life = min(LIFE, authority.certificate.not_valid_after_utc - now)
    signer = authority.key.public_key()
    builder = (
        _builder(_named(names[0]), authority.certificate.subject, key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)  # a host's certificate gives no access, ours serves no host
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )
    return Pair(builder.sign(authority.key, SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(now - SKEW).not_valid_after(now + life)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME])])


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in dict.fromkeys(names)]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


# --- files ------------------------------------------------------------------------------------------------------------


def _read_pair(root: Path, certificate: str, key: str) -> Pair:
    try:
        found = x509.load_pem_x509_certificate((root / certificate).read_bytes())
        secret = load_pem_private_key((root / key).read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{certificate} and {key} are no certificate and its key ({error}); put both back, or remove both") from error
    if not isinstance(secret, ec.EllipticCurvePrivateKey) or found.public_key() != secret.public_key():
        raise UsageError(f"{key} is not the key of {certificate}; put the right one back, or remove both")
    return Pair(found, secret)


def _write_pair(root: Path, certificate: str, key: str, pair: Pair) -> None:
    folder = root / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n")
    _write_private(root / key, pair.key_pem)
    _write_private(root / certificate, pair.certificate_pem)


def _write_private(path: Path, content: bytes) -> None:
    """Readable for its owner alone at any moment, and whole or not there."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fsync(stream.fileno())
    Path(draft).replace(path)
