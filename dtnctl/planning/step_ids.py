"""Ids of steps that steps of others wait for: whoever plans the one and whoever waits for it build the same. Pure."""

from __future__ import annotations


def pull_id(endpoint: str, image: str) -> str:
    return f"{endpoint}/pull/{image}"


def remove_id(endpoint: str, container: str) -> str:
    return f"{endpoint}/remove/{container}"


def count_id(endpoint: str, interface: str) -> str:
    """Makes virtual functions, or gives the interface back."""
    return f"{endpoint}/vfs/{interface}"


def release_id(endpoint: str, pci: str) -> str:
    """Gives a virtual function back."""
    return f"{endpoint}/release/{pci}"


def vlan_id(endpoint: str, name: str) -> str:
    return f"{endpoint}/vlan/{name}"


def tune_id(endpoint: str, key: str) -> str:
    """Sets something of the host."""
    return f"{endpoint}/tune/{key}"


def untune_id(endpoint: str, key: str) -> str:
    """Puts something of the host back."""
    return f"{endpoint}/untune/{key}"
