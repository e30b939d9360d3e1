"""No secret is in anything that dtnctl prints, writes, sends to a forge or labels with: every command is run, and every artefact searched.

A command that is new is missing in COMMANDS, which fails: think about what it prints.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from enum import Enum
from hashlib import md5, sha1, sha256
from typing import Any

import pytest

from dtnctl.cli.program import program
from tests.cli.canary_site import CanarySite, canary_site

# How each command is run, in this order; the first line of each in all its forms of output.
COMMANDS: dict[str, tuple[str, ...]] = {
    "version": ("",),
    "validate": ("",),
    "fmt": ("--check",),
    "schema": ("profile", "site"),
    "completion": ("bash",),
    "help": ("", "secrets"),
    "init": ("build/new",),
    "convert compose": ("OUTSIDE/compose.yaml --out build/compose",),
    "convert janus": ("OUTSIDE/janus --out build/janus",),
    "check": ("--all-refs",),
    "profiles list": ("",),
    "profiles show": ("p",),
    "networks list": ("",),
    "networks show": ("bridge",),
    "paths list": ("",),
    "paths check": ("away",),
    "paths show": ("away",),
    "volumes list": ("",),
    "volumes show": ("disk",),
    "tools list": ("",),
    "tools show": ("rsync",),
    "doctor": ("ssh://dtn@127.0.0.1:1",),
    "plan": ("", "--all", "--brief", "--target session/s"),
    "apply": ("--yes --lock-timeout 1", "--dry-run", "--yes --lock-timeout 1 --replace session/s", "--yes --expect 0123456789abcdef"),
    "history": ("", "s"),
    "show": ("", "HEAD"),
    "rollback": ("s --to HEAD --dry-run",),
    "reconcile": (
        "--repo ROOT --once --state-dir build/loop --webhook-secret OUTSIDE/loop_webhook",
        "--repo https://ann:LOOP_PASSWORD@127.0.0.1:9/x.git --once --state-dir build/other",
        "--print-unit --repo ROOT --webhook-secret OUTSIDE/loop_webhook",
    ),
    "inventory refresh": ("",),
    "inventory show": ("",),
    "drift": ("",),
    "ls": (
        "active",
        "active/s",
        "active/s/services/a",
        "active/s/services/a/docker_kwargs",
        "active/s/request",
        "profiles/p",
        "endpoints/a",
    ),
    "status": ("",),
    "top": ("--once",),
    "graph networks": ("", "--offline"),
    "graph host": ("a", "b --offline"),
    "graph transfer": ("t",),
    "shell": ("--echo",),
    "sessions list": ("",),
    "sessions show": ("s", "r", "v"),
    "sessions compare": ("s small.s --endpoint a",),
    "sessions logs": ("s --endpoint a", "s --failed"),
    "sessions create": ("a image app:1 profile p --name made",),
    "sessions stop": ("made",),
    "sessions start": ("made",),
    "sessions delete": ("made",),
    "transfers list": ("",),
    "transfers show": ("t",),
    "transfers logs": ("t",),
    "transfers plot": ("t",),
    "transfers cancel": ("t --yes",),
    "transfers resolve": ("t --as succeeded",),
    "transfers create": ("a:/data/x b:/data/y rsync --name made --session s",),
    "endpoints list": ("",),
    "endpoints show": ("a", "b"),
    "endpoints doctor": ("",),
    "endpoints add": ("new --ssh dtn@127.0.0.1",),
    "endpoints import": ("portainer http://127.0.0.1:9 --key env:C_PORTAINER", "portainer http://127.0.0.1:9 --key PORTAINER_CANARY"),
    "bench network": ("a b",),
    "bench storage": ("s",),
    "report github": ("build/plan.json",),
    "report gitlab": ("build/plan.json",),
    "report webhook": ("build/plan.json",),
    "report issue": ("github build/drift.md", "gitlab build/drift.md"),
    "web": ("--listen 192.0.2.1",),  # the pages themselves: tests/web/test_canaries.py
    "unlock": ("a",),
    "destroy": ("--dry-run", "--yes --confirm small"),
}


SHELL_LINES = "ls active/s/services/a\nls profiles/p\ncd active/s\nls request\nsession create a image app:1 name typed\ndiff\nundo\n"
USUAL = ("text", "json", "markdown", "svg", "dot", "mermaid")  # the other forms are those of a plan, which is run in all


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CanarySite]:
    """The site when every command has been run, with `--debug` and in every form of output that it has."""
    folder = tmp_path_factory.mktemp("canaries")
    with pytest.MonkeyPatch.context() as patch, canary_site(folder) as (made, variables):
        for name in ("CI", "GITHUB_ACTIONS", "GITHUB_EVENT_PATH"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr("sys.stdin", io.StringIO(SHELL_LINES))
        (made.root / "build").mkdir()
        _run_all(made)
        yield made


def _run_all(made: CanarySite) -> None:
    forms = {name: _forms(command) for name, command in _leaves(program())}
    for name, lines in COMMANDS.items():
        if name == "destroy":
            made.remember_engines()
        for number, line in enumerate(lines):
            words = made.filled(line).split()
            for form in forms[name] if number == 0 else forms[name][:1]:
                made.run(*name.split(), *words, *form)
        if name == "plan":
            _keep_documents(made)


def _keep_documents(made: CanarySite) -> None:
    """What reports need."""
    for command, form, file in (("plan", "json", "plan.json"), ("drift", "markdown", "drift.md")):
        (made.root / "build" / file).write_text(made.run(command, "-o", form).out)


def _leaves(command: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield " ".join(way), command
        return
    for name in command.list_commands(None):
        yield from _leaves(command.get_command(None, name), (*way, name))


def _forms(command: Any) -> list[tuple[str, ...]]:
    """Its forms of output, by its own option; `--debug` where it has that."""
    options = {name: item for item in command.params for name in getattr(item, "opts", ())}
    debug = ("--debug",) if "--debug" in options else ()
    kind = getattr(getattr(options.get("--output"), "type_descriptor", None), "annotation", None)
    if not isinstance(kind, type) or not issubclass(kind, Enum):
        return [debug]
    values = [str(item.value) for item in kind]
    return [(*debug, "-o", value) for value in values if command.name == "plan" or value in USUAL]


def test_every_command_is_run() -> None:
    commands = dict(_leaves(program()))
    assert set(COMMANDS) == set(commands)
    assert len(_forms(commands["plan"])) > 5, "the forms of output are found no more"


def test_no_command_crashes_and_the_ones_that_matter_do_something(site: CanarySite) -> None:
    crashed = [(name, result.err) for name, result in site.ran if "Traceback" in result.out + result.err]
    assert crashed == []
    done = {name.split(" -")[0].split()[0] for name, result in site.ran if result.code == 0}
    assert "shell" in done, [result.err for name, result in site.ran if name.startswith("shell")]
    partly = {name.split()[0] for name, result in site.ran if result.code in (3, 7, 9)}  # b and c have agents that do not answer
    assert done >= {"validate", "plan", "drift", "status", "sessions", "transfers", "report", "check", "history", "rollback"}
    assert partly >= {"apply", "destroy", "convert", "inventory"}


def test_no_canary_is_in_anything_that_was_printed(site: CanarySite) -> None:
    found = [(name, names) for name, result in site.ran if (names := site.found_in(result.out + result.err))]
    assert found == []


def test_no_canary_is_in_a_file_that_was_written(site: CanarySite) -> None:
    files = [path for path in site.root.parent.rglob("*") if path.is_file() and site.outside not in path.parents]
    found = {str(path): names for path in files if (names := site.found_in(path.read_bytes().decode("utf-8", "replace")))}
    # An option of a volume is in the state file that people wrote, in the loop's clone of it and in the cache of what was read.
    assert {path: names for path, names in found.items() if names != ["volume"]} == {}


def test_no_canary_is_in_an_object_of_git(site: CanarySite) -> None:
    site.git("add", "--all")
    site.git("commit", "--quiet", "--allow-empty", "--message=all that was written")
    objects = site.git("cat-file", "--batch-all-objects", "--batch").decode("utf-8", "replace")
    assert site.found_in(objects) == ["volume"]


def test_values_are_in_the_environment_of_containers_and_in_nothing_else_of_the_engines(site: CanarySite) -> None:
    assert site.found_in(json.dumps(site.environments)) == ["file", "sops", "variable"]
    assert site.found_in(json.dumps(site.objects)) == []


def test_no_canary_is_in_a_call_to_an_engine_s_path_or_in_what_a_forge_got(site: CanarySite) -> None:
    assert site.found_in("\n".join(site.world.calls())) == []
    sent = [json.dumps(list(site.forge.comments.values())), json.dumps(list(site.forge.statuses.values()), default=str)]
    bodies = [content.decode() for _, content in site.forge.posted]
    assert site.found_in("\n".join([*sent, *bodies])) == []


def test_no_plain_digest_of_a_value_is_shown(site: CanarySite) -> None:
    shown = "".join(result.out + result.err for _, result in site.ran) + json.dumps(site.objects)
    digests = {kind(site.canaries[name].encode()).hexdigest()[:12] for name in ("variable", "file", "sops") for kind in (sha256, sha1, md5)}
    assert not [digest for digest in digests if digest in shown]
