"""Keeps passwords that people write into options of volumes out of documents: more people read these than the state files."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import Action, CreateContainer, ReplaceContainer
from dtnctl.model.storage import without_secrets


def without_passwords(action: Action) -> Action:
    """The action as it may be shown."""
    if not isinstance(action, (CreateContainer, ReplaceContainer)):
        return action
    mounts = tuple(
        replace(mount, driver_opts=tuple(sorted(without_secrets(dict(mount.driver_opts)).items()))) for mount in action.spec.mounts
    )
    return replace(action, spec=replace(action.spec, mounts=mounts))
