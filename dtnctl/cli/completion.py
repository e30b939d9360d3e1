"""`dtnctl completion SHELL`, and the hidden command that those scripts ask: candidates for the last word, a line each."""

from __future__ import annotations

import enum
import sys
from typing import Annotated, Any

import typer

from dtnctl.cli.commands import ASK
from dtnctl.cli.common import everywhere
from dtnctl.cli.names import FILES

# `dtnctl __complete WORD… LAST` prints lines of a candidate, a tab and its meaning; or FILES


class Shell(enum.StrEnum):
    """Shells that have a script."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


SCRIPTS = {
    Shell.bash: f"""\
# bash completion of dtnctl:  source <(dtnctl completion bash)
_dtnctl() {{
    local value meaning
    COMPREPLY=()
    while IFS=$'\\t' read -r value meaning; do
        if [ "$value" = "{FILES}" ]; then
            compopt -o default
        else
            COMPREPLY+=("$value")
        fi
    done < <("${{COMP_WORDS[0]}}" {ASK} "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
    if [[ ${{#COMPREPLY[@]}} = 1 && ${{COMPREPLY[0]}} = *: ]]; then
        compopt -o nospace
    fi
}}
COMP_WORDBREAKS=${{COMP_WORDBREAKS//:/}}
complete -F _dtnctl dtnctl
""",
    Shell.zsh: f"""\
#compdef dtnctl
# zsh completion of dtnctl:  source <(dtnctl completion zsh), after compinit; or as a file _dtnctl in a folder of $fpath
_dtnctl() {{
    local value meaning
    local -a candidates
    while IFS=$'\\t' read -r value meaning; do
        if [[ $value = {FILES} ]]; then
            _files
            return
        fi
        candidates+=("${{value//:/\\\\:}}${{meaning:+:$meaning}}")
    done < <("${{words[1]}}" {ASK} "${{(@)words[2,CURRENT]}}" 2>/dev/null)
    _describe -V dtnctl candidates
}}
if [ "$funcstack[1]" = _dtnctl ]; then
    _dtnctl "$@"
else
    compdef _dtnctl dtnctl
fi
""",
    Shell.fish: f"""\
# fish completion of dtnctl:  dtnctl completion fish | source
function __dtnctl_candidates
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    for line in ($words[1] {ASK} $words[2..-1] "$last" 2>/dev/null)
        if test "$line" = {FILES}
            __fish_complete_path "$last"
        else
            echo $line
        end
    end
end
complete -c dtnctl -f -a '(__dtnctl_candidates)'
""",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("completion")(completion_command)
    app.command(ASK, hidden=True, context_settings={"ignore_unknown_options": True, "help_option_names": []})(complete_command)


def completion_command(shell: Annotated[Shell, typer.Argument(help="The shell that the script is for.")]) -> int:
    """Print the completion script of a shell. `source <(dtnctl completion bash)` in ~/.bashrc is all that is needed."""
    sys.stdout.write(SCRIPTS[shell])
    return 0


def complete_command(words: Annotated[list[str] | None, typer.Argument()] = None) -> int:
    """Candidates for the last word."""
    *before, last = words or [""]
    for value, meaning in candidates([word for word in before if word != "="], last):
        sys.stdout.write(f"{value}\t{meaning}\n" if meaning else f"{value}\n")
    return 0


def candidates(before: list[str], last: str) -> list[tuple[str, str]]:
    """What the last word may become, with what it means."""
    from typer._click.shell_completion import ShellComplete

    from dtnctl.cli.program import program

    class Asked(ShellComplete):
        """Only its finding of commands and options is used; the scripts are ours."""

        name = "dtnctl"
        source_template = ""

        def source_vars(self) -> dict[str, Any]:
            return {}

        def get_completion_args(self) -> tuple[list[str], str]:
            return before, last

        def format_completion(self, item: Any) -> str:
            return str(item.value)

    found = Asked(program(), {}, "dtnctl", "").get_completions(before, last)
    values = [(str(item.value), " ".join((item.help or "").split())) for item in found]
    if last.startswith("-"):
        known = {value for value, _ in values}
        values += [(name, meaning) for name, meaning in everywhere() if name.startswith(last) and name not in known]
    return values
