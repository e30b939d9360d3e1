"""The two scripts that dtnctl gives to a container's shell: several commands in one, and a change of the keys of an account."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dtnctl.runtime.transfers.joined import JOINED
from dtnctl.runtime.transfers.keys import EDIT
from tests.fakes.files import make_folders

if TYPE_CHECKING:
    from tests.fakes.execs import ExecFunction, ExecRun

NOT_DONE = 3


def no_shell(run: ExecRun) -> int:
    """As `sh` among a world's programs: images without a shell."""
    run.stderr("exec: sh: not found\n")
    return 127


def script_of(argv: list[str], find: Callable[[str], ExecFunction | None]) -> ExecFunction | None:
    """What carries out the command, if it is one of the scripts. `find` gives programs by name."""
    if argv[:2] != ["sh", "-c"] or find("sh") is no_shell:
        return None
    return {JOINED: lambda run: _joined(run, find), EDIT: _edit}.get(argv[2])


def _joined(run: ExecRun, find: Callable[[str], ExecFunction | None]) -> int:
    mark, *commands = run.argv[4:]
    for command in commands:
        inner = copy.copy(run)
        inner.argv, inner.output = shlex.split(command), []
        code = _one(inner, find)
        run.output += [*inner.output, (1, f"\n{mark} {code}\n".encode()), (2, f"\n{mark}\n".encode())]
    return 0


def _one(run: ExecRun, find: Callable[[str], ExecFunction | None]) -> int:
    function = script_of(run.argv, find) or find(run.argv[0])
    if function is None:
        run.stderr(f"sh: 1: {run.argv[0]}: not found\n")
        return 127
    return function(run)


def _edit(run: ExecRun) -> int:
    """Replace the lines; what is written belongs to the user of the command."""
    home, prefix, *added = run.argv[4:]
    folder, path = f"{home}/.ssh", f"{home}/.ssh/authorized_keys2"
    tree = run.container.files
    with run.engine.changed:
        if home not in tree:
            return NOT_DONE
        before = tree[path].content.splitlines() if path in tree else []
        after = [line for line in before if prefix.encode() not in line] + [line.encode() for line in added]
        if after == before:
            return 0
        if folder not in tree:
            make_folders(tree, folder)
            tree[folder] = replace(tree[folder], mode=0o700)
        run.files.write(path, b"".join(line + b"\n" for line in after), 0o600)
        accounts = (line.split(":") for line in run.files.read("/etc/passwd").decode().splitlines())
        uid, gid = next((int(fields[2]), int(fields[3])) for fields in accounts if fields[0] == run.user)
        for made in (folder, path):
            tree[made] = replace(tree[made], uid=uid, gid=gid)
    return 0
