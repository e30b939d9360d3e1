"""Only one module says how git is started: with another call, settings and refs of other people would count."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dtnctl.repository.git_program import git_command

CLONE = Path(__file__).parents[2]
STARTING = ("os", "shutil", "subprocess", "asyncio")


def git_words(tree: ast.AST) -> Iterator[int]:
    """The lines of lists that begin with the program git, and of calls that start it by its name."""
    for node in ast.walk(tree):
        first: list[ast.expr] = node.elts[:1] if isinstance(node, ast.List | ast.Tuple) else []
        if isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] in STARTING:
            first = node.args[:1]
        for item in first:
            if isinstance(item, ast.Constant) and isinstance(item.value, str) and Path(item.value.partition(" ")[0]).name == "git":
                yield item.lineno


def test_what_starts_git_is_found() -> None:
    for text in ('run(["git", "log"])', 'subprocess.run("git log", shell=True)', 'os.execvp("/usr/bin/git")', 'word = ("git", *words)'):
        assert list(git_words(ast.parse(text))) == [1], text
    assert list(git_words(ast.parse('raise UsageError("git is not installed")'))) == []


def test_only_one_module_starts_git() -> None:
    found = [
        f"{path.relative_to(CLONE)}:{line}"
        for path in sorted((CLONE / "dtnctl").rglob("*.py"))
        for line in git_words(ast.parse(path.read_text()))
    ]
    assert [place.partition(":")[0] for place in found] == ["dtnctl/repository/git_program.py"]
    assert git_command(CLONE)[0] == "git"
