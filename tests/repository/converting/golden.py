"""What conversions write, as one text each. `python -m tests.repository.converting.golden` writes the expected texts again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dtnctl.repository.converting.compose import convert_compose
from dtnctl.repository.converting.conversion import Conversion, write_conversion
from dtnctl.repository.converting.janus import Era, convert_janus

HERE = Path(__file__).parent


def _janus(name: str, era: Era | None, active: str) -> Conversion:
    return convert_janus(HERE / name, name, era, (HERE / active, active))


def _compose(name: str) -> Conversion:
    return convert_compose(HERE / "compose" / f"{name}.yaml", f"{name}.yaml", "dtn1", "ssh://dtn@dtn1.example.net", Path("/srv/dtn"))


CASES: Mapping[str, Callable[[], Conversion]] = {
    "janus-v0.2": lambda: _janus("janus-v0.2", None, "active-v0.2.json"),
    "janus-v1.0": lambda: _janus("janus-v1.0", "v1.0", "active-v1.0.json"),
    **{f"compose-{name}": partial(_compose, name) for name in ("gridftp", "host", "macvlan", "xrootd", "stack")},
}


def text_of(conversion: Conversion, root: Path) -> str:
    """The notes, and each file that was written into `root`; site.yaml, whose id is random, is left out."""
    files = [name for name in write_conversion(conversion, root, "state") if name != "state/site.yaml"]
    notes = [str(note) for note in conversion.notes]
    return "\n".join([*notes, *(f"\n== {name}\n{(root / name).read_text()}".rstrip() for name in files)]) + "\n"


def expected(name: str) -> Path:
    return HERE / "expected" / f"{name}.txt"


if __name__ == "__main__":
    for case, convert in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            expected(case).parent.mkdir(exist_ok=True)
            expected(case).write_text(text_of(convert(), Path(folder)))
