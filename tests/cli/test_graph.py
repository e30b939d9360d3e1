"""`dtnctl graph` on two engines: pictures that can be read, in the form that is asked for, also where nothing answers."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.small_site import run, two_engines, write
from tests.render.pictures.reading import words_of

SILENT = {"a": "unix:///nowhere/none.sock", "b": "unix:///nowhere/none.sock"}


def test_networks_are_drawn_as_they_are_and_offline_as_they_are_declared(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert run(tmp_path, "apply", "--yes").returncode == 0
        seen = run(tmp_path, "graph")
    assert (seen.returncode, seen.stderr) == (0, "")
    assert {"bridge", "STARTED"} <= set(words_of(seen.stdout).split())
    offline = run(tmp_path, "graph", "networks", "--offline")
    assert offline.returncode == 0
    assert "UNKNOWN" in words_of(offline.stdout).split()
    assert "unknown: the inventory has no" in words_of(offline.stdout)


def test_a_host_asks_its_endpoint_alone_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        write(tmp_path, {"a": f"unix://{world.sockets['a']}", "b": SILENT["b"]})
        seen = run(tmp_path, "graph", "host", "a")
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "hardware unknown: the endpoint has no agent that reports its hardware" in words_of(seen.stdout)


def test_a_silent_endpoint_is_drawn_as_unknown_with_a_note(tmp_path: Path) -> None:
    write(tmp_path, SILENT)
    seen = run(tmp_path, "graph", "host", "b", "-o", "mermaid")
    assert seen.returncode == 0
    assert seen.stderr.startswith("note: b does not answer, what is there is unknown: ")
    assert "hardware unknown" in seen.stdout


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["-o", "dot"], 'graph "Networks of site small" {'),
        (["-o", "mermaid"], "flowchart LR"),
        (["--out", "x.gv"], 'graph "Networks of site small" {'),
        (["--out", "x.mmd"], "flowchart LR"),
        (["--out", "x.svg"], "<?xml "),
        (["--out", "x.txt", "-o", "dot"], 'graph "Networks of site small" {'),
        (["--out", "-"], "<?xml "),
    ],
)
def test_the_form_is_what_is_asked_for_or_what_the_file_is_called(tmp_path: Path, words: list[str], start: str) -> None:
    write(tmp_path, SILENT)
    ran = run(tmp_path, "graph", "--offline", *words)
    assert ran.returncode == 0, ran.stderr
    file = Path(tmp_path, words[1])
    text = file.read_text(encoding="utf-8") if file.exists() else ran.stdout
    assert text.startswith(start)
    assert file.exists() == (not ran.stdout)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--out", "picture.png"], "the ending of picture.png does not say what to write; try .svg, .dot or .mmd, or -o svg"),
        (["host", "c"], "no endpoint named c; try one of a, b"),
        (["transfer", "t"], "no transfer named t; try"),
        (["transfer", "t", "-o", "dot"], "a rate over time is no graph of nodes, so there is none as dot; try -o svg"),
        (["--out", "none/x.svg", "--offline"], "cannot write none/x.svg: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path: Path, words: list[str], reason: str) -> None:
    write(tmp_path, SILENT)
    ran = run(tmp_path, "graph", *words)
    assert (ran.returncode, ran.stdout) == (64, "")
    assert reason in ran.stderr.splitlines()[0]


def test_ascii_pictures_show_the_same(tmp_path: Path) -> None:
    write(tmp_path, SILENT)
    plain, coded = (run(tmp_path, "graph", "--offline", *more).stdout for more in ([], ["--ascii"]))
    assert coded.isascii()
    assert not plain.isascii()
    assert list(ElementTree.fromstring(plain).itertext()) == list(ElementTree.fromstring(coded).itertext())
    assert "#8230;" in run(tmp_path, "graph", "--offline", "--ascii", "-o", "mermaid").stdout


def test_the_help_of_the_group_lists_its_pictures(tmp_path: Path) -> None:
    assert {"networks", "host", "transfer"} <= set(run(tmp_path, "graph", "--help").stdout.split())
