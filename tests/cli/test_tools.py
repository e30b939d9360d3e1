"""`dtnctl tools list|show`: dtnctl's own tools and those that the site declares."""

from __future__ import annotations

import json
from pathlib import Path

from dtnctl.model.tools import TOOLS
from tests.docs.tool_pages import files_of_page
from tests.repository.state_folder import write_state
from tests.runtime.program import dtnctl

DECLARED = {"tools/tar_over_ssh.yaml": files_of_page()["tools/tar_over_ssh"]}


def test_declared_tools_stand_among_those_of_dtnctl(tmp_path: Path) -> None:
    write_state(tmp_path, DECLARED)
    ran = dtnctl(tmp_path, "tools", "list", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    rows = {row["name"]: row for row in json.loads(ran.out)["tools"]}
    assert list(rows) == sorted([*TOOLS, "tar_over_ssh"])
    assert rows["tar_over_ssh"]["file"] == "state/tools/tar_over_ssh.yaml"
    assert rows["tar_over_ssh"]["programs"] == ["bash", "tar", "dd", "ssh"]
    assert (rows["xrootd"]["file"], rows["xrootd"]["server_programs"]) == ("", ["xrootd"])
    listed = dtnctl(tmp_path, "tools", "list", "-o", "wide").out
    assert [line.split()[0] for line in listed.splitlines()] == ["TOOL", *rows]


def test_one_tool_is_shown_and_an_unknown_one_leads_to_those_that_there_are(tmp_path: Path) -> None:
    write_state(tmp_path, DECLARED)
    shown = dtnctl(tmp_path, "tool", "show", "tar_over_ssh").out
    assert shown.startswith("tool: tar_over_ssh\nfile: state/tools/tar_over_ssh.yaml\nmoves: files\nlogs in at: destination\n")
    (row,) = json.loads(dtnctl(tmp_path, "tools", "show", "scp", "-o", "json").out)["tools"]
    assert {"notify", "items"} <= {*row["options"]}
    wrong = dtnctl(tmp_path, "tools", "show", "gridfpt")
    assert (wrong.code, wrong.out) == (64, "")
    assert "no tool named gridfpt; try `gridftp`" in wrong.err
