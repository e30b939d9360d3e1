"""`python -m bench [P1 P2 ...]`: measures, prints one line a figure, and writes results.json and machine.json into its folder."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import machine
from bench.figures import Figure, Measure, Options
from lab.layout import LabError

HERE = Path(__file__).parent
# figure -> the module with its `measure`, imported when it runs: the import of one is no part of another
MODULES = {
    "P1": "applying",
    "P2": "commands",
    "P3": "looking",
    "P4": "planning",
    "P5": "startup",
    "P6": "network",
    "P7": "transfer",
    "P8": "agent_facts",
    "P9": "functions",
    "P10": "guests",
    "P11": "finished",
    "P12": "branching",
    "P13": "many",
    "P14": "offline",
    "P15": "fleet",
}


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.figures if name not in MODULES]:
        parser.error(f"no figure {', '.join(unknown)}; there are {', '.join(MODULES)}")
    # an end by signal is an end all the same: the lab and the folder go
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return _carry_out(arguments)
    except LabError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1


def _carry_out(arguments: argparse.Namespace) -> int:
    if arguments.profile:
        from bench.costs import print_costs

        print_costs(Options(quick=arguments.quick))
        return 0
    return run(arguments.figures or list(MODULES), Options(arguments.rounds, arguments.quick, arguments.count), arguments.out)


def run(names: list[str], options: Options, out: Path) -> int:
    """Measure these; the exit code is 0 whatever the figures are, since a busy machine is no defect."""
    out.mkdir(parents=True, exist_ok=True)  # before minutes of measuring
    facts = machine.facts()
    print(machine.line(facts), flush=True)
    figures: list[Figure] = []
    for name in names:
        for figure in _measure(name, options):
            print(figure.line(), flush=True)
            figures.append(figure)
    (out / "results.json").write_text(json.dumps([figure.document() for figure in figures], indent=2) + "\n")
    (out / "machine.json").write_text(json.dumps({**facts, "quick": options.quick}, indent=2) + "\n")
    return 0


def _measure(name: str, options: Options) -> Iterator[Figure]:
    measure: Measure = importlib.import_module(f"bench.{MODULES[name]}").measure
    return measure(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"{', '.join(MODULES)}; all if none")
    parser.add_argument("--rounds", type=int, help="rounds of every figure, instead of its own number")
    parser.add_argument("--count", type=int, help="how many transfers P13 declares, instead of 1,000")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, to try the bench itself")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER", help="where the results are written")
    parser.add_argument("--profile", action="store_true", help="show where the time of the nothing-to-do run goes, instead of measuring")
    return parser


if __name__ == "__main__":
    sys.exit(main())
