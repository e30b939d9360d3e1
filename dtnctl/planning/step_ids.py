"""The ids of steps: ENDPOINT/VERB/SUBJECT. Who plans a step and who waits for it call the same function. Pure."""

from __future__ import annotations


def step_id(endpoint: str, verb: str, subject: str) -> str:
    """The id of a step that does something to one object of an endpoint. A verb about a container's network is `connect.NETWORK`."""
    return f"{endpoint}/{verb}/{subject}"


def pull_id(endpoint: str, image: str) -> str:
    return step_id(endpoint, "pull", image)


def stop_id(endpoint: str, container: str) -> str:
    return step_id(endpoint, "stop", container)


def remove_id(endpoint: str, container: str) -> str:
    return step_id(endpoint, "remove", container)


def network_id(endpoint: str, network: str) -> str:
    """Creates a network."""
    return step_id(endpoint, "network", network)


def remove_network_id(endpoint: str, network: str) -> str:
    return step_id(endpoint, "remove-network", network)


def ledger_id(endpoint: str) -> str:
    """Creates the container that reads and writes the endpoint's record of transfers."""
    return step_id(endpoint, "ledger", "ensure")


def start_transfer_id(endpoint: str, transfer: str) -> str:
    return step_id(endpoint, "transfer", transfer)


def finish_transfer_id(endpoint: str, transfer: str) -> str:
    return step_id(endpoint, "finish", transfer)


def record_cancel_id(endpoint: str, container: str) -> str:
    """Writes that a job is going to be stopped."""
    return step_id(endpoint, "cancel", container)


def record_end_id(endpoint: str, container: str) -> str:
    """Writes the receipt of a job that is removed."""
    return step_id(endpoint, "record", container)


def count_id(endpoint: str, interface: str) -> str:
    """Sets the number of an interface's virtual functions, or restores the interface."""
    return step_id(endpoint, "vfs", interface)


def release_id(endpoint: str, pci: str) -> str:
    """Releases a virtual function."""
    return step_id(endpoint, "release", pci)


def vlan_id(endpoint: str, name: str) -> str:
    return step_id(endpoint, "vlan", name)


def remove_vlan_id(endpoint: str, name: str) -> str:
    return step_id(endpoint, "remove-vlan", name)


def qos_id(endpoint: str, container: str) -> str:
    return step_id(endpoint, "qos", container)


def tune_id(endpoint: str, key: str) -> str:
    """Changes a setting of the host."""
    return step_id(endpoint, "tune", key)


def untune_id(endpoint: str, key: str) -> str:
    """Restores a setting of the host."""
    return step_id(endpoint, "untune", key)


def protection_id(endpoint: str, session: str) -> str:
    """Records whether a session is protected, or removes that record."""
    return step_id(endpoint, "protection", session)


def volume_step_id(endpoint: str, task: str, name: str) -> str:
    """Does something to a volume over NVMe-oF: `dtn1/connect-volume/scratch`. Names of endpoints have no slash."""
    return step_id(endpoint, task, name)


def path_id(provider: str, verb: str, path: str) -> str:
    """Does something to a path at its provider, or waits for it."""
    return step_id(provider, f"{verb}-path", path)
