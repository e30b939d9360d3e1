"""Writes the man pages from the commands themselves: `python -m hack.man_pages FOLDER`. The wheel has them in share/man/man1.

One page for the program, and one for each of its commands; verbs of a noun are sections of one page.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from dtnctl import __version__, errors
from hack.command_tree import PROGRAM, Command, Parameter, command_tree

HATCHLINGS_EPOCH = 1580601600  # of files in wheels that are built without SOURCE_DATE_EPOCH
CODE = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"(?<!\S)(--?[\w-]+)")
ENDS_WITHOUT_ERROR = {0: "success", 2: "changes", 129: "hangup", 130: "interrupted", 143: "terminated"}
FILES = (
    ("state/", "The state files of a repository."),
    (".dtnctl/inventory/", "What endpoints have, for offline plans."),
    ("~/.local/state/dtnctl/", "What containers that failed last wrote."),
)


def man_pages(epoch: int) -> dict[str, str]:
    """File names and texts of all pages; `epoch` is the time that they bear."""
    tree, date = command_tree(), datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d")
    pages = {f"{PROGRAM}.1": _program_page(tree, date)}
    return pages | {f"{_page_name(command)}.1": _command_page(command, date) for command in tree.below}


def _page_name(command: Command) -> str:
    return "-".join((PROGRAM, *command.path))


def _program_page(tree: Command, date: str) -> str:
    commands = ((f".BR {escaped(_page_name(command))} (1)", command.line) for command in tree.below)
    return "".join(
        [
            *_head(PROGRAM, tree.line, date),
            *_synopsis([tree]),
            *_section("DESCRIPTION", _text(tree.line)),
            *_section("COMMANDS", "".join(f".TP\n{name}\n{_text(line)}" for name, line in commands)),
            *_section("OPTIONS", "These stand before or after any command.\n" + _parameters(tree.options)),
            *_section("FILES", "".join(f".TP\n.I {escaped(name)}\n{_text(line)}" for name, line in FILES)),
            *_section("EXIT STATUS", "".join(f".TP\n.B {code}\n{_text(name)}" for code, name in sorted(_exit_codes().items()))),
            *_section("SEE ALSO", _text("`dtnctl help` lists the pages of the documentation and shows them without a network.")),
        ]
    )


def _command_page(command: Command, date: str) -> str:
    leaves = list(command.leaves)
    parts = [*_head(_page_name(command), command.line, date), *_synopsis(leaves)]
    parts += _section("DESCRIPTION", _paragraphs(command))
    if command.below:
        parts += [*_section("COMMANDS", "".join(f".SS {escaped(leaf.name)}\n{_body(leaf)}" for leaf in leaves))]
    elif command.arguments or command.options:
        parts += _section("OPTIONS", _parameters((*command.arguments, *command.options)))
    if not command.below:
        parts += _section("EXAMPLES", _examples(command.examples))
    return "".join([*parts, *_section("SEE ALSO", f".BR {PROGRAM} (1),\nwhich has the options of every command and the exit codes.\n")])


def _body(command: Command) -> str:
    return _paragraphs(command) + _parameters((*command.arguments, *command.options)) + ".PP\n" + _examples(command.examples)


def _head(name: str, line: str, date: str) -> Iterator[str]:
    yield f'.TH "{escaped(name.upper())}" "1" "{date}" "{PROGRAM} {__version__}" "User Commands"\n'
    plain = CODE.sub(r"\1", line).rstrip(".")
    yield from _section("NAME", f"{escaped(name)} \\- {escaped(plain)}\n")


def _synopsis(commands: Iterable[Command]) -> Iterator[str]:
    lines = (f"\\fB{escaped(command.name)}\\fR{escaped(command.usage.removeprefix(command.name))}\n" for command in commands)
    yield from _section("SYNOPSIS", ".br\n".join(lines))


def _section(title: str, text: str) -> Iterator[str]:
    yield f".SH {title}\n{text}"


def _paragraphs(command: Command) -> str:
    return ".PP\n".join(_text(paragraph) for paragraph in command.paragraphs)


def _parameters(parameters: Iterable[Parameter]) -> str:
    return "".join(f".TP\n{_typed(item.typed)}\n{_text(item.meaning)}" for item in parameters)


def _typed(text: str) -> str:
    """Options are bold; what stands for a value is not."""
    return OPTION.sub(lambda found: f"\\fB{found[1]}\\fR", escaped(text).replace("\\-", "-")).replace("-", "\\-")


def _examples(lines: Iterable[str]) -> str:
    return ".nf\n" + "".join(f"{_line(escaped(line))}\n" for line in lines) + ".fi\n"


def _text(text: str) -> str:
    """A paragraph; code is bold."""
    return _line(CODE.sub(lambda found: f"\\fB{found[1]}\\fR", escaped(text))) + "\n"


def _line(text: str) -> str:
    """That begins with no request of roff."""
    return f"\\&{text}" if text.startswith((".", "'")) else text


def escaped(text: str) -> str:
    """As roff shows it: a backslash, and a minus sign that can be typed."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def _exit_codes() -> dict[int, str]:
    found, kinds = dict(ENDS_WITHOUT_ERROR), [errors.DtnctlError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found[kind.exit_code] = kind.exit_name
    return found


def write_man_pages(folder: Path, epoch: int) -> list[Path]:
    """Write all pages into the folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {folder / name: text for name, text in man_pages(epoch).items()}
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8")
    return list(paths)


def main(arguments: list[str]) -> int:
    """Write the pages into the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m hack.man_pages FOLDER\n")
        return 64
    write_man_pages(Path(arguments[0]), int(os.environ.get("SOURCE_DATE_EPOCH", HATCHLINGS_EPOCH)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
