"""What hatchling calls while it builds the wheel: man pages are made, and the pages of docs/ come along for `dtnctl help`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # of any builder's configuration
    """hatchling finds it by this name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add to the wheel what its folders do not have. An editable installation reads docs/ of its clone."""
        if version == "editable":
            return
        root = Path(self.root)
        self._made = TemporaryDirectory()  # builds of one clone may run side by side
        pages = sorted((root / "docs").glob("*.md"))
        build_data["force_include"] |= {str(page): f"dtnctl/help/{page.name}" for page in pages}
        build_data["shared_data"] |= {str(page): f"share/man/man1/{page.name}" for page in _man_pages(root, Path(self._made.name))}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made."""
        del build_data, artifact_path
        if version != "editable":
            self._made.cleanup()


def _man_pages(root: Path, folder: Path) -> list[Path]:
    """Made by the source that is built, not by a dtnctl that is installed."""
    sys.path[:0] = [str(root), str(root / "agent")]
    from hack.man_pages import HATCHLINGS_EPOCH, write_man_pages

    return write_man_pages(folder, int(os.environ.get("SOURCE_DATE_EPOCH", HATCHLINGS_EPOCH)))
