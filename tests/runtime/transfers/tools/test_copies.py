"""Every tool that copies files: what arrives. How transfers fail is in tests/e2e/test_transfer_tools.py."""

from __future__ import annotations

import pytest

from tests.runtime.transfers.tools.scene import HERE, ROWS, THERE, ToolScene

pytestmark = pytest.mark.lab
# Without RDMA devices: tests/hardware/test_rdma_transfers.py is about the others.
TOOLS_THAT_COPY = [name for name, row in ROWS.items() if row.moves == "files" and not row.rdma]
CUT_AT_QUESTION_MARKS = ("xrootd",)  # such names are refused
SUMS = "find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type d | sort"


@pytest.fixture(params=TOOLS_THAT_COPY)
def tool(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_file_arrives_under_its_new_name(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "head -c 3000000 /dev/urandom > '/data/one file'")
    job = scene.job(tool, "/data/one file", f"/data/{tool}/new/it is", algorithm="sha256")
    receipt = job.run()
    assert (receipt.verdict, receipt.bytes, receipt.verified) == ("succeeded", 3_000_000, "sha256 of 1 file equal at both ends"), receipt
    assert scene.sh(THERE, f"sha256sum < '/data/{tool}/new/it is'") == scene.sh(HERE, "sha256sum < '/data/one file'")
    assert scene.sh(THERE, f"stat -c %U '/data/{tool}/new/it is'") == "dtnaas\n"
    job.leaves_nothing()


def test_a_folder_arrives_with_all_below_it(scene: ToolScene, tool: str) -> None:
    if not ROWS[tool].takes("recursive"):
        pytest.skip(f"{tool} copies single files")
    names = "'a b' '[x]*' '50%41' '#;type=i' -dash" if tool in CUT_AT_QUESTION_MARKS else "'a b' '[x]*?' '50%41' '#;type=i' -dash"
    scene.sh(HERE, "rm -rf /data/tree")
    scene.sh(HERE, f'mkdir -p /data/tree/sub/hollow; cd /data/tree/sub; : > zero; for n in {names}; do echo 1 > ./"$n"; done')
    receipt = scene.job(tool, "/data/tree/", f"/data/{tool}-tree/", recursive=True).run()
    assert (receipt.verdict, receipt.files) == ("succeeded", 6), receipt
    assert scene.sh(THERE, f"cd /data/{tool}-tree; {SUMS}") == scene.sh(HERE, f"cd /data/tree; {SUMS}")


def test_a_file_that_is_there_already_is_overwritten(scene: ToolScene, tool: str) -> None:
    scene.sh(HERE, "echo newer > /data/again; touch -d 2020-01-01 /data/again")
    scene.sh(THERE, f"echo older > /data/{tool}-again; touch -d 2020-01-01 /data/{tool}-again")
    assert scene.job(tool, "/data/again", f"/data/{tool}-again").run().verdict == "succeeded"
    assert scene.sh(THERE, f"cat /data/{tool}-again") == "newer\n"
