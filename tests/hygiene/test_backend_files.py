"""A backend is its folder, its rows, and few lines beside them: all else asks the row, or what a provider is for."""

from __future__ import annotations

import re
from pathlib import Path

CLONE = Path(__file__).parents[2]
ITS_ROOM = CLONE / "dtnctl" / "providers" / "kubernetes"
KNOWS = re.compile(r"\.kubernetes\b|\bKubernetes(Address|Engine|Observer)\b|\"Kubernetes\"|providers\.kubernetes\b")


def test_few_files_outside_of_its_provider_know_of_clusters() -> None:
    """Beside them its words, in model/lacks.py, which a plan shows."""
    others = (path for path in (CLONE / "dtnctl").rglob("*.py") if ITS_ROOM not in path.parents)
    assert sorted(str(path.relative_to(CLONE / "dtnctl")) for path in others if KNOWS.search(path.read_text())) == [
        "model/backends.py",
        "model/kubernetes_addresses.py",
        "model/site.py",
        "providers/endpoint.py",
        "providers/local/files.py",
    ]
