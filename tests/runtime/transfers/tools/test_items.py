"""Several pairs in one transfer, by every tool that takes items: what arrives under which name, and what a failure says."""

from __future__ import annotations

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer_items import Item
from tests.runtime.transfers.tools.scene import HERE, THERE, ToolScene

pytestmark = pytest.mark.lab
TOOLS_WITH_ITEMS = [name for name, row in TOOLS.items() if row.takes("items")]
MADE = """
rm -rf /data/from; mkdir -p /data/from/run7/sub /data/from/run8 /data/from/far; cd /data/from
echo one > 'run7/a b.nc'; echo two > run7/sub/b.nc; echo three > run7/c.txt; echo four > run8/d.nc; echo five > run8/e.txt; : > run8/zero.nc
echo far > far/away
"""
ITEMS = (Item("run7/a b.nc", "2026/first x.nc"), Item("run8/", "eight/", "*.nc"), Item("run7/", "seven/"))


@pytest.fixture(params=TOOLS_WITH_ITEMS)
def tool(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_files_folders_and_patterns_arrive_under_their_new_names(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, MADE)
    scene.sh(THERE, f"rm -rf /data/{tool}-items; mkdir -p /data/{tool}-items/eight; echo other > /data/{tool}-items/kept")
    job = scene.job(tool, "/data/from/", f"/data/{tool}-items/", recursive=True, items=ITEMS)
    receipt = job.run()
    assert (receipt.verdict, receipt.files, receipt.verified) == ("succeeded", 5, "md5 of 5 files equal at both ends"), receipt
    assert scene.sh(THERE, f"cd /data/{tool}-items; grep -r '' . | sort; find . -size 0").splitlines() == [
        "./2026/first x.nc:one",
        "./eight/d.nc:four",
        "./kept:other",
        "./seven/c.txt:three",
        "./seven/sub/b.nc:two",
        "./eight/zero.nc",
    ]
    assert dict(receipt.sums)["run7/a b.nc"] == scene.sh(HERE, "md5sum < '/data/from/run7/a b.nc'").split()[0]
    assert len(receipt.sums) == 5
    job.leaves_nothing()


def test_an_item_that_fails_is_named_and_the_others_arrive_if_it_may_be_skipped(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, MADE + "chmod 000 run7/c.txt")
    scene.sh(THERE, f"rm -rf /data/{tool}-part")
    items = (Item("run7/c.txt", "c"), Item("run8/d.nc", "d"), Item("run7/a b.nc", "a"))
    job = scene.job(tool, "/data/from/", f"/data/{tool}-part/", recursive=True, items=items, on_file_error="skip")
    receipt = job.run()
    assert (receipt.verdict, receipt.files) == ("partial", 2), receipt
    assert receipt.cause == "1 name did not arrive: 'run7/c.txt'"
    assert scene.sh(THERE, f"cd /data/{tool}-part; cat d a") == "four\none\n"
    job.leaves_nothing()


def test_an_item_that_cannot_be_written_fails_the_transfer_and_is_named(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, MADE)
    scene.sh(THERE, f"rm -rf /data/{tool}-shut; mkdir -p /data/{tool}-shut/x; echo z > /data/{tool}-shut/x/d")
    items = (Item("run7/a b.nc", "a"), Item("run8/d.nc", "x/d"))
    job = scene.job(tool, "/data/from/", f"/data/{tool}-shut/", recursive=True, items=items)
    job.start()
    assert job.wait_for_end() == 0
    scene.sh(THERE, f"printf flip > /data/{tool}-shut/x/d")
    receipt = job.finish()
    assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    assert "'run8/d.nc'" in receipt.cause
    job.leaves_nothing()


def test_what_items_cannot_be_is_refused_before_anything_is_made(scene: ToolScene) -> None:
    scene.sh(HERE, MADE + "ln -sfn /usr/share/base-files out; ln -sfn run7 run9")
    scene.sh(THERE, "rm -rf /data/refused; mkdir -p /data/refused/there; ln -sfn /tmp /data/refused/out")
    for items, reason in (
        ((Item("run7/gone", "x"),), "`items`: `run7/gone` chooses no file below /data/from/ on dtn1"),
        ((Item("run7", "x"),), "`items`: `run7` chooses no file below /data/from/ on dtn1 that no item before it has; a folder ends in /"),
        ((Item("run7/c.txt", "there"),), "/data/refused/there on dtn2 is a folder; end it in / to copy into it"),
        ((Item("run9/c.txt", "x"),), "has links: 'run9'"),
        ((Item("out/", "x/"),), "/data/from/out on dtn1 leads to /usr/share/base-files, which is in no volume of the container"),
        ((Item("run7/c.txt", "out/c"),), "/data/refused/out/c on dtn2 leads to /tmp/c, which is in no volume of the container"),
    ):
        job = scene.job("gridftp", "/data/from/", "/data/refused/", recursive=True, items=items)
        with pytest.raises(TransferError) as raised:
            job.start()
        assert reason in str(raised.value)
        job.leaves_nothing()
