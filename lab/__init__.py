"""Endpoints made on this machine for the demo and the tests: network namespaces with an engine each."""

from lab.engines import Limits, limits
from lab.lab import Lab, unavailable
from lab.layout import Endpoint, LabError, TlsFiles
from lab.registry import Login, Registry
from lab.releases import EngineUnavailableError

__all__ = ["Endpoint", "EngineUnavailableError", "Lab", "LabError", "Limits", "Login", "Registry", "TlsFiles", "limits", "unavailable"]
