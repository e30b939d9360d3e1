"""A pytest plugin that compiles the tests of a new clone before the workers start.

Each worker reads all tests. Without this they would all compile the same files at the same moment, which takes far longer than to read
what is compiled. Loaded with `-p tests.compiled_first`; it does something where tests run side by side.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

PROCESSES = 2
FEW = 20  # of so many files, compiling costs a worker less than starting another process costs all of them


def uncompiled(folder: Path) -> list[Path]:
    """The files of tests below the folder that pytest has never compiled here, largest first."""
    return sorted(
        (path for path in folder.rglob("test_*.py") if not _compiled(path).exists()), key=lambda path: (-path.stat().st_size, path)
    )


def _compiled(path: Path) -> Path:
    """Where pytest keeps the file with its asserts rewritten."""
    usual = Path(cache_from_source(str(path), optimization=""))
    return usual.with_name(f"{usual.stem}-pytest-{pytest.__version__}.pyc")


def compile_tests(root: Path) -> int:
    """Have pytest collect what is not compiled, in processes that share the files; returns how many files that were."""
    files = uncompiled(root / "tests")
    if sys.dont_write_bytecode or len(files) <= FEW:
        return 0
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider"]
    shares = [sorted(map(str, files[number::PROCESSES])) for number in range(PROCESSES)]
    running = [subprocess.Popen([*command, *share], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for share in shares]
    for process in running:
        process.wait()  # a file that cannot be collected is reported by the run itself
    return len(files)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    compile_tests(config.rootpath)
