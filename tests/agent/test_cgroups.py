"""The container of a process, from the forms that engines give control groups."""

from __future__ import annotations

import pytest
from dtn_agent.cgroups import container_of

ID, INNER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        (f"0::/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/docker/{ID}\n", ID),
        (f"12:pids:/docker/{ID}\n11:cpu:/docker/{ID}\n", ID),
        (f"0::/system.slice/docker-{ID}.scope/init.scope\n", ID),
        (f"0::/docker/{ID}/docker/{INNER}\n", ID),
        (f"0::/kubepods.slice/kubepods-pod1.slice:cri-containerd:{ID}\n", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container\n", ID),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ""),
        (f"0::/build/{ID}0\n", ""),
        ("", ""),
    ],
)
def test_the_outermost_container_of_a_control_group_is_found(cgroup: str, container: str) -> None:
    assert container_of(cgroup) == container
