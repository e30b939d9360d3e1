"""The client of a provider, by the kind that site.yaml names. Connects to nothing, and imports the one module that it needs."""

from __future__ import annotations

from importlib import import_module

from dtnctl.providers.paths.base import PathAccess, PathObserver, PathService


def path_observer(access: PathAccess) -> PathObserver:
    """A client that cannot write."""
    observer: PathObserver = import_module(f"dtnctl.providers.paths.{access.settings.kind}").Observer(access)
    return observer


def path_service(access: PathAccess) -> PathService:
    """A client that can."""
    service: PathService = import_module(f"dtnctl.providers.paths.{access.settings.kind}").Service(access)
    return service
