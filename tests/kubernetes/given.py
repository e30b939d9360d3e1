"""What the person who runs `make test-kubernetes` says about the cluster, by variables; docs/kubernetes.md lists them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NO_CLUSTER = (
    "no cluster: DTN_KUBECONFIG or KUBECONFIG names none; `make test-kubernetes DTN_KUBECONFIG=FILE` takes k3s, kind or any other "
    "whose nodes run pods (docs/kubernetes.md)"
)


@dataclass(frozen=True, slots=True)
class Given:
    """Empty: not there.

    `node`: for the first that is ready; `host`: where others reach it, for its InternalIP. `interface`: of the node, for macvlan.
    `spare_interface`: an interface of the node in no other use, which pods get.
    `load`, `stop_node`, `start_node`: shell commands.
    `docker`: the address of an engine whose host is `docker_host` for the node, and whose `docker_interface` is in the same segment as
    `interface`. `folder`: of the hosts of both, where everyone may write.
    """

    kubeconfig: Path
    node: str
    host: str
    interface: str
    spare_interface: str
    load: str
    stop_node: str
    start_node: str
    docker: str
    docker_host: str
    docker_interface: str
    folder: str


def given(variables: Mapping[str, str] = os.environ) -> Given | None:
    """What is said of the cluster; None where none is named."""
    kubeconfig = variables.get("DTN_KUBECONFIG") or variables.get("KUBECONFIG")
    if not kubeconfig:
        return None

    def said(name: str) -> str:
        return variables.get(f"DTN_KUBERNETES_{name}", "")

    return Given(
        kubeconfig=Path(kubeconfig).expanduser().resolve(),
        node=said("NODE"),
        host=said("HOST"),
        interface=said("INTERFACE"),
        spare_interface=said("SPARE_INTERFACE"),
        load=said("LOAD"),
        stop_node=said("STOP_NODE"),
        start_node=said("START_NODE"),
        docker=said("DOCKER"),
        docker_host=said("DOCKER_HOST"),
        docker_interface=said("DOCKER_INTERFACE"),
        folder=said("FOLDER"),
    )


def run_given(command: str, **names: object) -> None:
    """Run a command that was given, with each {NAME} replaced."""
    for name, value in names.items():
        command = command.replace(f"{{{name}}}", shlex.quote(str(value)))
    done = subprocess.run(["bash", "-c", command], text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
