"""Writes docs/commands.md from the commands themselves: `python -m hack.commands_page`. With `--check` it only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hack.command_tree import Command, Parameter, command_tree

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """\
# Commands

Every command as `--help` explains it. This page is made by `hack/commands_page.py`. What commands print with `-o json` is
described in [JSON documents](json.md), how they end in [exit codes](exit-codes.md).

Options can also be set by the environment variables that stand with them; what is typed wins. Nouns may be singular:
`dtnctl session list`.
"""
NEXT = "Next: [state reference](state-reference.md) · [JSON documents](json.md) · [exit codes](exit-codes.md) · [all pages](index.md)\n"


def render_page(tree: Command) -> str:
    """The whole page."""
    rows = "".join(f"- [{command.name}](#{command.name.replace(' ', '-')}): {command.line}\n" for command in tree.below)
    parts = [HEAD, rows, f"## Everywhere\n\nThese stand before or after any command; `--version` stands alone:\n\n{_list(tree.options)}"]
    for command in tree.below:
        parts += _sections(command, "##")
    return "\n".join([*parts, NEXT])


def _sections(command: Command, marks: str) -> Iterator[str]:
    yield f"{marks} {command.name}\n"
    yield from (f"{paragraph}\n" for paragraph in command.paragraphs)
    if not command.below:
        yield f"```\n{command.usage}\n```\n"
    if parameters := (*command.arguments, *command.options):
        yield _list(parameters)
    if command.examples:
        yield "```sh\n" + "".join(f"{line}\n" for line in command.examples) + "```\n"
    for below in command.below:
        yield from _sections(below, f"{marks}#")


def _list(parameters: Iterable[Parameter]) -> str:
    return "".join(f"- `{item.typed}`: {item.meaning}\n" for item in parameters)


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` report whether it is up to date."""
    page = render_page(command_tree())
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.stderr.write(f"{PAGE} is stale; run: python -m hack.commands_page\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
