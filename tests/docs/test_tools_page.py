"""docs/tools.md: its files are valid, and its command lines are those that would run."""

from __future__ import annotations

import re

from dtnctl.model.actions import JobEnd
from dtnctl.model.tool_words import PLACEHOLDERS
from dtnctl.movers.base import JobRequest, mover_of
from tests.docs.pages import CLONE
from tests.docs.tool_pages import files_of_page, tools_of_page
from tests.model.sites import objects, problems

SESSION = "endpoints: [dtn1, dtn2]\nimage: x\nsettings: {volumes: ['/d:/data'], data_port_range: [50100, 50199]}\n"
HERE = JobEnd("dtn1", "lab.s", "/data/run14.nc", "127.0.0.1", 30001, "dtn")
THERE = JobEnd("dtn2", "lab.s", "/data/run14.nc", "10.10.0.12", 30001, "dtn", data_host="10.20.0.12", data_ports=(50100, 50199))
PAGE = (CLONE / "docs/tools.md").read_text(encoding="utf-8")


def test_every_file_of_the_page_is_valid() -> None:
    endpoints = {f"endpoints/dtn{number}": "docker: ssh://dtn@h.example.net\n" for number in (1, 2)}
    assert sorted(tools_of_page()) == ["escp", "tar_over_ssh", "webdav", "xfer_memory", "xfer_test"]
    assert problems({**endpoints, "sessions/s": SESSION, **files_of_page()}) == []


def test_escp_is_called_as_the_page_says() -> None:
    settings = objects(files_of_page()).transfers["run14"].value.settings
    command = mover_of("escp").client(JobRequest(HERE, THERE, settings, folder="/dtnctl"))
    assert command == (
        *("escp", "-F", "/dtnctl/ssh_config", "--port", "30001", "--escp_port", "50100", "--escp_portrange", "100"),
        *("--parallel", "8", "/data/run14.nc", "dtn@10.10.0.12:/data/run14.nc"),
    )
    assert f"\n{' '.join(command)}\n" in PAGE


def test_every_placeholder_is_on_the_page() -> None:
    shown = set(re.findall(r"\{([a-z_]+)\}", PAGE.partition("## Placeholders")[2].partition("\n## ")[0]))
    plain = {name for name in PLACEHOLDERS if not name.endswith("_quoted")}
    assert plain | {"options", "value"} <= shown
    assert shown <= {*PLACEHOLDERS, "options", "value"}
