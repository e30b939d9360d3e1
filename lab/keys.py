"""The lab's keys: a certificate authority for the engines' TLS, and ssh keys for the endpoints and the controller."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.layout import CONTROL_NET, DATA_NET, Endpoint, LabError, Layout

DAYS = "30"
# A setting of sshd: its default, sntrup761, costs each client 80 ms of processor time, and the lab's connections are many.
KEY_EXCHANGE = "KexAlgorithms curve25519-sha256\n"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_keys(layout: Layout, endpoints: Sequence[Endpoint]) -> None:
    """Make every key and certificate of a fresh lab."""
    _make_authority(layout)
    ssh_folder = layout.home / ".ssh"
    ssh_folder.mkdir(parents=True, mode=0o700)
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(_make_client_certificate, layout), pool.submit(_make_ssh_key, ssh_folder / "id_ed25519")]
        done += [pool.submit(_make_server_certificate, layout, endpoint) for endpoint in endpoints]
        done += [pool.submit(_make_ssh_key, endpoint.folder / "hostkey") for endpoint in endpoints]
        for future in done:
            future.result()
    _write_ssh_files(layout, endpoints)


def _make_authority(layout: Layout) -> None:
    layout.pki.mkdir(mode=0o700)
    out = ["-keyout", f"{layout.pki}/ca-key.pem", "-out", str(layout.tls.ca)]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]  # strict clients ask for it
    _run(["openssl", "req", "-x509", *NEW_KEY, *out, "-days", DAYS, "-subj", "/CN=lab-ca", *usage])


def _make_client_certificate(layout: Layout) -> None:
    _sign(layout, layout.tls.key, layout.tls.cert, "controller", ["extendedKeyUsage=clientAuth"])


def _make_server_certificate(layout: Layout, endpoint: Endpoint) -> None:
    names = f"subjectAltName=DNS:{endpoint.name},DNS:{endpoint.full_name},IP:{endpoint.control_ip},IP:127.0.0.1"
    folder = endpoint.folder
    shutil.copy(layout.tls.ca, folder / "ca.pem")
    _sign(layout, folder / "key.pem", folder / "cert.pem", endpoint.name, [names, "extendedKeyUsage=serverAuth"])


def _sign(layout: Layout, key: Path, certificate: Path, subject: str, extensions: Sequence[str]) -> None:
    authority = ["-CA", str(layout.tls.ca), "-CAkey", f"{layout.pki}/ca-key.pem"]
    out = ["-keyout", str(key), "-out", str(certificate), "-days", DAYS, "-subj", f"/CN={subject}"]
    added = [word for extension in ("basicConstraints=CA:FALSE", *extensions) for word in ("-addext", extension)]
    _run(["openssl", "req", "-x509", *NEW_KEY, *authority, *out, *added])


def _make_ssh_key(path: Path) -> None:
    _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path)])


def _write_ssh_files(layout: Layout, endpoints: Sequence[Endpoint]) -> None:
    """The controller's ssh files: in its home for paramiko, and as a system configuration for the ssh command.

    The ssh command reads the home of the password file, whatever HOME says.
    """
    ssh_folder = layout.home / ".ssh"
    known = "".join(_known_host_line(endpoint) for endpoint in endpoints)
    (ssh_folder / "known_hosts").write_text(known)
    config = (
        f"Host {CONTROL_NET}.* {DATA_NET}.* dtn*\n"
        f'    IdentityFile "{ssh_folder}/id_ed25519"\n'
        f'    UserKnownHostsFile "{ssh_folder}/known_hosts"\n'
        "    StrictHostKeyChecking yes\n"
    )
    (ssh_folder / "config").write_text(config)
    system_folder = layout.controller / "ssh"
    system_folder.mkdir(parents=True)
    (system_folder / "ssh_config").write_text(config)
    for endpoint in endpoints:
        shutil.copy(ssh_folder / "id_ed25519.pub", endpoint.folder / "authorized_keys")


def _known_host_line(endpoint: Endpoint) -> str:
    key = (endpoint.folder / "hostkey.pub").read_text()
    return f"{endpoint.control_ip},{endpoint.name},{endpoint.full_name} {key}"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the lab's keys: {' '.join(command)}: {done.stderr.strip()}")
