"""A job's clone, and its forge."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.workflows.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def forge(checkout: Checkout) -> dict[str, str]:
    """A bare repository where GitHub's would be."""
    subprocess.run(["git", "init", "--quiet", "--bare", checkout.folder / "forge" / "scinet" / "state"], check=True)
    return {"GITHUB_SERVER_URL": f"file://{checkout.folder}/forge", "GITHUB_REPOSITORY": "scinet/state"}
