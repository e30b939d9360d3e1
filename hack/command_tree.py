"""The commands of dtnctl as values, taken from what `--help` is made of; pages and man pages are made of these."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dtnctl.cli.common import EVERYWHERE
from dtnctl.cli.program import program

PROGRAM = "dtnctl"
HELP_OPTION = "--help"  # every command has it; it is explained once, with those that stand everywhere


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option: as it is typed, and what it means."""

    typed: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or a group of them, as it is typed after the program's name."""

    path: tuple[str, ...]
    usage: str
    line: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    examples: tuple[str, ...]
    below: tuple[Command, ...]

    @property
    def name(self) -> str:
        """`dtnctl sessions list`."""
        return " ".join((PROGRAM, *self.path))

    @property
    def leaves(self) -> Iterator[Command]:
        """The commands that carry something out."""
        if not self.below:
            yield self
        for command in self.below:
            yield from command.leaves


def command_tree() -> Command:
    """The whole program. Hidden commands and options are left out."""
    root = program()
    return _command(root, (), root.make_context(PROGRAM, [], resilient_parsing=True))


def _command(command: Any, path: tuple[str, ...], context: Any) -> Command:
    paragraphs = tuple(" ".join(text.split()) for text in inspect.cleandoc(command.help or "").split("\n\n"))
    return Command(
        path=path,
        usage=" ".join((PROGRAM, *path, *command.collect_usage_pieces(context))),
        line=paragraphs[0],
        paragraphs=paragraphs,
        arguments=tuple(_parameters(command, context, "argument")),
        options=tuple(_parameters(command, context, "option")),
        examples=_examples(command.epilog or ""),
        below=tuple(_below(command, path, context)),
    )


def _below(command: Any, path: tuple[str, ...], context: Any) -> Iterator[Command]:
    for name in getattr(command, "list_commands", lambda _: ())(context):
        found = command.get_command(context, name)
        if not found.hidden:
            yield _command(found, (*path, name), found.make_context(name, [], parent=context, resilient_parsing=True))


def _parameters(command: Any, context: Any, kind: str) -> Iterator[Parameter]:
    for parameter in command.get_params(context):
        if parameter.param_type_name == kind and not parameter.hidden and (HELP_OPTION not in parameter.opts or not context.parent):
            yield Parameter(*(" ".join(text.split()) for text in parameter.get_help_record(context)))


def _examples(epilog: str) -> tuple[str, ...]:
    """The lines below `Example:` of a command's help."""
    text = epilog.replace(EVERYWHERE, "").replace("\b", "").strip()
    return tuple(line.strip() for line in text.splitlines()[1:])
