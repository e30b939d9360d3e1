"""The state of a trial's folder in a site of its own, on the lab's real engines."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab import Lab
from tests.e2e.playground import Playground

PLACE = re.compile(r"state/\w+/(?P<name>[\w-]+)\.yaml:\d+:\d+: E\d{4}: .+")


class Trial(Playground):
    """A playground whose state is the folder's."""

    def __init__(self, lab: Lab, root: Path, folder: Path) -> None:
        super().__init__(lab, root)
        shutil.rmtree(root / "state")
        shutil.copytree(folder / "state", root / "state")
        for file in (root / "state/endpoints").iterdir():
            file.write_text(file.read_text().replace("LAB", str(lab.layout.folder)))
        for endpoint in lab.endpoints:
            lab.exec(endpoint.name, ["chmod", "1777", "/data"])

    def refused_names(self) -> set[str]:
        """Names of the files in which validate finds something that can be corrected, with its place."""
        ran = self.run("validate")
        assert ran.code in (0, 65), ran.out + ran.err
        return {found["name"] for found in map(PLACE.search, (ran.out + ran.err).splitlines()) if found}

    def blocked(self) -> dict[str, str]:
        """Text of what the plan refuses, by name."""
        changes = self.plan("-o", "json").json["changes"]
        return {item["name"]: str(item) for item in changes if item["mark"] == "blocked"}

    def tree(self, endpoint: str, path: str) -> str:
        """Every file below the path with its content's checksum; empty without the path. Links are followed."""
        script = f"test ! -e {path} || (cd {path} && find -L . -type f -exec md5sum {{}} + | sort -k2)"
        return self.lab.exec(endpoint, ["sh", "-c", script], check=False).stdout

    def anonymous_volumes(self, endpoint: str = "dtn1") -> set[str]:
        volumes = self.engines[endpoint].volumes()["Volumes"] or ()
        return {item["Name"] for item in volumes if re.fullmatch("[0-9a-f]{64}", item["Name"])}
