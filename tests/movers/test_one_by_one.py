"""Items that a tool copies one after the other: the runs, the script by a real shell, and how far it is."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Entry, Evidence, JobRequest, Judgement, Listing, Moved, Mover, ProgressReader
from dtnctl.movers.one_by_one import OneByOne, mover_for, runs
from dtnctl.movers.rsync import Reader, Rsync
from dtnctl.movers.scp import Scp
from tests.movers.jobs import ACCESS, THERE, request

ITEMS = (Item("run7/a b", "new"), Item("calib/", "c/"), Item("run8/", "r/", "*.nc"))
SIZES = {"calib/x": 10, "calib/y/z": 20, "run7/a b": 30, "run8/1.nc": 40, "run8/2.nc": 50}
FILES = Listing("folder", {name: Entry(size, "1") for name, size in SIZES.items()})


@dataclass(frozen=True)
class Says(Mover):
    """A tool that says what it copies, and fails on what is called bad."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        kind = "folder" if request.options.recursive else "file"
        return ("sh", "-c", 'echo "$1 $2 $3"; case $2 in *bad) exit 7 ;; esac', "says", kind, request.source.path, request.destination.path)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return Judgement("failed", "judged")


def asked(items: tuple[Item, ...] = ITEMS, before: Listing = FILES, **options: object) -> JobRequest:
    return replace(request("/data/", "/out/", THERE, recursive=True, items=items, **options), before=before)


def run(asked: JobRequest, folder: Path) -> subprocess.CompletedProcess[str]:
    asked = replace(asked, folder=str(folder))
    mover = OneByOne(Says())
    for file in mover.client_files(asked, Access({}, "")):
        Path(file.path).write_bytes(file.content)
    return subprocess.run(list(mover.client(asked)), capture_output=True, check=False, text=True)


def test_a_whole_folder_is_one_run_and_a_pattern_one_for_each_file(tmp_path: Path) -> None:
    ran = run(asked(), tmp_path)
    assert ran.stdout.splitlines() == [
        "dtnctl: item 0",
        "file /data/run7/a b /out/new",
        "dtnctl: item 1",
        "folder /data/calib/ /out/c/",
        "dtnctl: item 2",
        "file /data/run8/1.nc /out/r/1.nc",
        "dtnctl: item 3",
        "file /data/run8/2.nc /out/r/2.nc",
    ]
    assert ran.returncode == 0


def test_a_folder_of_which_another_item_takes_a_file_is_copied_file_by_file() -> None:
    options = asked((Item("calib/x", "first"), Item("calib/", "c/"))).options
    assert [(part.source, part.target) for part in runs(options, SIZES)] == [("calib/x", "first"), ("calib/y/z", "c/y/z")]


@pytest.mark.parametrize(("on_file_error", "copied"), [("fail", 2), ("skip", 3)])
def test_the_first_failure_ends_it_unless_files_are_skipped(tmp_path: Path, on_file_error: str, copied: int) -> None:
    names = ("good", "bad", "last")
    before = Listing("folder", {name: Entry(1, "1") for name in names})
    ran = run(asked(tuple(Item(name, name) for name in names), before, on_file_error=on_file_error), tmp_path)
    assert (ran.returncode, ran.stdout.count("file /data/")) == (7, copied)


def test_progress_is_that_of_all_runs_together() -> None:
    reader = OneByOne(Says()).reader(asked(before=Listing("missing")), SIZES)
    line = b"%15d  50%%    1.00kB/s    0:00:01\r"
    said = [
        (b"dtnctl: item 0\n", None),
        (line % 15, Moved(15, 1024.0, True, 0)),
        (b"dtnctl: item 1\n", Moved(30, None, True, 1)),
        (b"nothing\n" + line % 20, Moved(50, 1024.0, True, 1)),
        (b"dtnctl: item 3\n", Moved(100, None, True, 4)),
        (b"dtnctl: item 9\n", None),
        (line % 50, Moved(150, 1024.0, True, 4)),
        (line % 50, Moved(150, 1024.0, False, 4)),
    ]
    for chunk, moved in said:
        found = reader.feed(chunk)
        assert found == moved
        assert moved is None or (found is not None and found.files == moved.files)
    assert OneByOne(Says()).reader(asked(before=Listing("missing")), {}).feed(line % 1) is None


def test_its_tool_refuses_judges_and_has_its_files() -> None:
    mover = mover_for("scp", asked().options)
    assert isinstance(mover, OneByOne)
    assert isinstance(mover.mover, Scp)
    assert mover.refusal(asked(links="omit"), FILES).startswith("scp copies what links lead to")
    assert OneByOne(Says()).judge(Evidence(1, ""), asked().options).cause == "judged"
    assert [file.path for file in mover.client_files(asked(), ACCESS)][-1] == "/dtnctl/items.sh"
    assert isinstance(mover_for("rsync", TransferOptions()), Rsync)
    assert not isinstance(mover_for("gridftp", asked().options), OneByOne)


class Counted(str):
    """A name that counts how often names are compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_folder_of_many_files_is_looked_through_once() -> None:
    files = [Counted(f"calib/{number}") for number in range(2000)]
    Counted.compared = 0
    (run,) = runs(asked(items=(Item("calib/", "c/"),)).options, files)
    assert (run.source, len(run.files)) == ("calib/", 2000)
    assert Counted.compared < 10 * len(files)


def test_files_with_names_like_the_folder_are_not_in_it() -> None:
    found = runs(asked(items=(Item("a/", "b/"),)).options, ["a", "a/x", "a/\U0010ffff", "a0", "a.b"])
    assert [(run.source, run.files) for run in found] == [("a/", ("a/x", "a/\U0010ffff"))]
