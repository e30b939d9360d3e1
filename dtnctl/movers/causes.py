"""Finds in a job's output why it failed, by texts that are known to appear there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_CAUSE = 300


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A text that is known to appear in a failed job's output, what it means, and whether it may pass by itself."""

    pattern: re.Pattern[str]
    cause: str
    retryable: bool


def known(pattern: str, cause: str, *, retryable: bool) -> KnownFailure:
    """`cause` may name the pattern's groups: {0} is the whole match."""
    return KnownFailure(re.compile(pattern), cause, retryable)


def find_cause(log: str, failures: Iterable[KnownFailure]) -> tuple[str, bool] | None:
    """The cause in a job's output, and whether it may pass by itself; None if it names none. The first failure that is found counts."""
    text = re.sub(r"[\r\n]+", "\n", log)
    for failure in failures:
        if match := failure.pattern.search(text):
            cause = failure.cause.format(match[0], *match.groups())
            return "".join(letter if letter.isprintable() else " " for letter in cause)[:LONGEST_CAUSE].strip(), failure.retryable
    return None


# ssh's own words tell more than those of the tool that started it. Each was provoked in the lab.
SSH_FAILURES = (
    known(
        r"Host key verification failed",
        "the host key on the control port is not the one in the service's container: something else answers there",
        retryable=False,
    ),
    known(
        r"(?m)^(?:ssh: )?([^\s:]+@\S+): Permission denied \(",
        "the login of {1} was refused: its sshd must read ~/.ssh/authorized_keys2, and the account must not be locked",
        retryable=False,
    ),
    known(r"ssh: connect to host (\S+) port (\d+): Connection refused", "nothing listens on control port {2} of {1}", retryable=True),
    known(r"ssh: connect to host (\S+) port (\d+): (.+)", "control port {2} of {1} is not reached: {3}", retryable=True),
    known(r"ssh: Could not resolve hostname (\S+):", "the source's container cannot look up the name {1}", retryable=True),
)
DISK_FAILURES = (
    known(r"No space left on device", "the disk at the destination is full", retryable=False),
    known(r"Disk quota exceeded", "the quota at the destination is used up", retryable=False),  # the kernel's text for EDQUOT
)
