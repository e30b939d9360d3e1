"""A transfer's own keys, one for each end: made in memory, allowed there while it runs, removed when it ends.

No long-lived key is used and no host key is trusted on first use: the host keys are read from the services' own
containers. A private key exists in memory here and as a file in the job's container, nowhere else.
"""

from __future__ import annotations

import contextlib
import posixpath
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dtnctl.errors import EngineError, NotFoundError, TransferError
from dtnctl.providers.base import Engine, FileEntry, Observer

HOST_KEYS = tuple(f"/etc/ssh/ssh_host_{kind}_key.pub" for kind in ("ed25519", "ecdsa", "rsa"))
LONGEST_LIFE = timedelta(days=7)  # of a key whose transfer has no deadline; it is a net below the removal, not the removal
# sshd reads the time of expiry in its own time zone, and a version before 9.1 refuses the key if it is in UTC: so it is written without
# a zone, late enough for the zone that is furthest ahead (UTC+14) and for clocks that are an hour off.
ZONES = timedelta(hours=15)

# sshd's authorized_keys2 is read, changed and written. Steps of one process run in several threads, and two transfers may use one
# service: without a lock one would lose the other's line. Other processes are kept away by the endpoint's lease.
_LOCKS: dict[tuple[str, str], threading.Lock] = {}

# Replaces the lines with the prefix by others, as the account itself, which can change its own files alone. The file is whole at any
# moment. Fails where it cannot see whether there is such a file.
EDIT = r"""
home=$1 prefix=$2 keys=authorized_keys2
new=.$keys.$$
shift 2
umask 077
fail() {
    rm -f -- "$new"
    exit 3
}
cd -- "$home" || exit 3
if [ "$#" = 0 ] && [ ! -e .ssh ]; then exit 0; fi
[ -e .ssh ] || mkdir .ssh || exit 3
cd .ssh || exit 3
if [ -e "$keys" ]; then
    LC_ALL=C grep -aqF -e "$prefix" "$keys"
    case "$#$?" in 01) exit 0 ;; *[01]) ;; *) exit 3 ;; esac
    LC_ALL=C grep -avF -e "$prefix" "$keys" >"$new"
    [ "$?" -le 1 ] || fail
else
    [ "$#" != 0 ] || exit 0
    : >"$new" || exit 3
fi
for line; do printf '%s\n' "$line" >>"$new" || fail; done
mv -f -- "$new" "$keys" || fail
"""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`public` is `ssh-ed25519 …`, without a comment."""

    private: bytes = field(repr=False)
    public: str


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a container, as in its /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str

    @property
    def authorized_keys(self) -> str:
        return posixpath.join(self.home, ".ssh/authorized_keys2")


def make_key_pair() -> KeyPair:
    """A new ed25519 pair."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return KeyPair(private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii"))


def find_account(observer: Observer, container: str, user: str) -> Account:
    """The account of that name in the container; TransferError if it has none that can log in."""
    where = f"{container} on {observer.endpoint}"
    if not user:
        raise TransferError(f"{where} has no account for transfers; set `user` in the profile or the session")
    try:
        content = b"".join(observer.read_files(container, "/etc/passwd").values()).decode("utf-8", "replace")
    except NotFoundError as error:
        raise TransferError(f"{where} has no /etc/passwd: {error}") from error
    for line in content.splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[0] == user:
            return _account(fields, where)
    raise TransferError(f"{where} has no account {user!r} in its /etc/passwd; set `user` to one that its image has or makes")


def _account(fields: list[str], where: str) -> Account:
    name, _, uid, gid, _, home, shell = fields
    if not (uid.isdecimal() and gid.isdecimal() and home.startswith("/")):
        raise TransferError(f"{where}: the line of {name!r} in /etc/passwd is broken")
    if posixpath.basename(shell) in ("nologin", "false"):
        raise TransferError(f"{where}: {name!r} may not log in, its shell is {shell}")
    return Account(name, int(uid), int(gid), posixpath.normpath(home))


def account_files(observer: Observer, container: str) -> tuple[FileEntry, ...]:
    """The container's lists of users and groups, for another container of the same image that runs a program as one of its users."""
    found: dict[str, bytes] = {}
    for path in ("/etc/passwd", "/etc/group"):
        with contextlib.suppress(NotFoundError):
            found |= observer.read_files(container, path)
    return tuple(FileEntry(path, content, 0o644) for path, content in sorted(found.items()))


def read_host_key(observer: Observer, container: str) -> str:
    """The public host key of the container's sshd, as `ssh-ed25519 …`; TransferError if there is none.

    One is enough: ssh prefers the kinds that known_hosts has, and sshd serves every kind whose file is there.
    """
    for path in HOST_KEYS:
        try:
            text = b"".join(observer.read_files(container, path).values()).decode("utf-8", "replace")
        except NotFoundError:
            continue
        kind, _, rest = text.strip().partition(" ")
        key = rest.partition(" ")[0]
        if kind.startswith(("ssh-", "ecdsa-")) and key:
            return f"{kind} {key}"
    expected = "/etc/ssh/ssh_host_*_key.pub"
    raise TransferError(f"{container} on {observer.endpoint} has no {expected}: is its image one with sshd, and did it start?")


def marker(site: str, transfer: str, generation: int, attempt: int) -> str:
    """The comment of the attempt's public key."""
    return f"{_prefix(site, transfer)}{generation} a{attempt}"


def _prefix(site: str, transfer: str) -> str:
    return f"dtnctl:{site}/{transfer}.g"


def authorized_line(public: str, comment: str, now: datetime, deadline: float | None) -> str:
    """The line that lets the key in: for what the account itself may run, without forwarding or a terminal, for a limited time."""
    life = LONGEST_LIFE if deadline is None else timedelta(seconds=deadline)
    expires = (now.astimezone(UTC) + life + ZONES).strftime("%Y%m%d%H%M%S")
    return f'restrict,expiry-time="{expires}" {public} {comment}'


def authorize(engine: Engine, container: str, account: Account, own: Sequence[str], site: str, transfer: str) -> None:
    """Let the keys of these lines in, instead of any earlier key of the same transfer. Lines of others stay as they are."""
    with editing(engine, container):
        _edit(engine, container, account, _prefix(site, transfer), own)


def revoke(engine: Engine, container: str, account: Account, site: str, transfer: str) -> None:
    """Take the transfer's keys away. What is not there any more, the container included, is success."""
    with editing(engine, container), contextlib.suppress(NotFoundError):
        _edit(engine, container, account, _prefix(site, transfer), ())


def editing(engine: Engine, container: str) -> threading.Lock:
    """Held while the keys of a container's users are changed."""
    return _LOCKS.setdefault((engine.endpoint, container), threading.Lock())


def authorize_command(account: Account, own: Sequence[str], site: str, transfer: str) -> tuple[str, ...]:
    """Lets the keys of these lines in, as `authorize` does; for the account itself, while `editing` is held."""
    return _edit_command(account, _prefix(site, transfer), own)


def revoke_command(account: Account, site: str, transfer: str) -> tuple[str, ...]:
    """Takes the transfer's lines away; for the account itself, while `editing` is held."""
    return _edit_command(account, _prefix(site, transfer), ())


def _edit_command(account: Account, prefix: str, own: Sequence[str]) -> tuple[str, ...]:
    return ("sh", "-c", EDIT, "keys", account.home, prefix, *own)


def _edit(engine: Engine, container: str, account: Account, prefix: str, own: Sequence[str]) -> None:
    """By a command in the container, which is half the work of reading and writing the file; by that where the image cannot."""
    command = _edit_command(account, prefix, own)
    try:
        if engine.run(container, command, user=account.name).exit_code == 0:
            return
    except NotFoundError:
        raise
    except EngineError:
        pass  # it does not run, for example: its files can be changed all the same
    before = _read_lines(engine, container, account.authorized_keys)
    after = [*(line for line in before if prefix.encode() not in line), *(line.encode() for line in own)]
    if after != before:
        content = b"".join(line + b"\n" for line in after)
        entry = FileEntry(account.authorized_keys, content, 0o600, account.uid, account.gid, folder_mode=0o700)
        engine.write_files(container, (entry,))


def _read_lines(engine: Engine, container: str, path: str) -> list[bytes]:
    try:
        return b"".join(engine.read_files(container, path).values()).splitlines()
    except NotFoundError:
        return []
