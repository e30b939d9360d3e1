"""The import contracts of pyproject.toml hold, and each one notices when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """The package and its contracts, free to be broken."""
    shutil.copytree(CLONE / "dtnctl", tmp_path / "dtnctl", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CLONE / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    # the copy comes before the installed package: lint-imports puts its working folder first
    return subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=folder, text=True, capture_output=True, check=False)


def test_every_contract_is_kept(copied_tree: Path) -> None:
    ran = lint_imports(copied_tree)
    assert ran.returncode == 0, ran.stdout
    assert "0 broken" in ran.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("dtnctl/model/broken.py", "import dtnctl.planning"),
        ("dtnctl/planning/broken.py", "import dtnctl.providers"),
        ("dtnctl/providers/broken.py", "import dtnctl.planning"),
        ("dtnctl/providers/broken.py", "import dtnctl.render"),
        ("dtnctl/render/broken.py", "import dtnctl.movers"),
        ("dtnctl/runtime/broken.py", "import dtnctl.cli"),
        ("dtnctl/planning/broken.py", "def late():\n    import docker"),
        ("dtnctl/planning/broken.py", "from time import monotonic"),
        ("dtnctl/model/broken.py", "import os.path"),
        ("dtnctl/model/broken.py", "import subprocess"),
        ("dtnctl/planning/host/broken.py", "from dtnctl.planning.host.vlans import Vlans"),
        ("dtnctl/attic.py", "import dtnctl.model"),
    ],
    ids=lambda text: text.replace("\n", " "),
)
def test_broken_contract_is_noticed(copied_tree: Path, module: str, line: str) -> None:
    (copied_tree / module).write_text(line + "\n")
    ran = lint_imports(copied_tree)
    assert ran.returncode == 1, ran.stdout
    assert module.removesuffix(".py").replace("/", ".") in ran.stdout or "attic" in ran.stdout
