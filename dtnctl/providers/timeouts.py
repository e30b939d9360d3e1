"""How long an endpoint may take before it counts as silent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `connect`: until connected. `answer`: to the first question, which a healthy engine answers at once.

    `read`, `write`: to any later call; a start may load a slow volume driver. `login`: until ssh is through its handshake,
    jump hosts included, or a kubeconfig's program has given a token. `closing`: until ssh has ended by itself; then it is killed.
    """

    connect: float = 5.0
    answer: float = 10.0
    read: float = 60.0
    write: float = 300.0
    login: float = 20.0
    closing: float = 5.0
