"""Which version of the API is spoken to an engine, and which engines are refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dtnctl.errors import UnreachableError

OLDEST_API = "1.41"  # engine 20.10
NEWEST_API = "1.51"  # engine 28.5, the newest that the tests run on (docs/engines.md)
DOCKER, PODMAN = "Docker", "Podman"


def version_of_ping(newest: str, server: str) -> Mapping[str, Any] | None:
    """The version by a ping's headers `Api-Version` and `Server`; None if they leave open which engine it is, or which APIs it speaks.

    An engine that is newer than we know may have dropped the APIs that we speak, which only its version shows.
    """
    product, _, number = server.partition(" ")[0].partition("/")
    if product == "Libpod":
        return {"ApiVersion": newest, "Version": number, "Components": [{"Name": f"{PODMAN} Engine"}]}
    if product != DOCKER or not newest or _number(newest) > _number(NEWEST_API):
        return None
    return {"ApiVersion": newest, "Version": number}


def common_api(version: Mapping[str, Any], address: str) -> str:
    """The newest API that the engine and we know. UnreachableError, in one sentence, for an engine that we cannot speak to."""
    newest, oldest = str(version["ApiVersion"]), str(version.get("MinAPIVersion") or OLDEST_API)
    number = str(version.get("Version", ""))
    if _number(newest) < _number(OLDEST_API):
        name = f"engine {number}".strip()
        raise UnreachableError(f"{address}: {name} speaks API {newest}; dtnctl needs API {OLDEST_API}, which is engine 20.10 or newer")
    if _number(oldest) > _number(NEWEST_API):
        name = f"engine {number}".strip()
        raise UnreachableError(
            f"{address}: {name} speaks API {oldest} and newer; this dtnctl speaks API {OLDEST_API} to {NEWEST_API}: update dtnctl"
        )
    return min(newest, NEWEST_API, key=_number)


def is_podman(version: Mapping[str, Any]) -> bool:
    """Whether it is a Podman that resembles Docker."""
    return any(str(part.get("Name", "")).startswith(PODMAN) for part in version.get("Components") or ())


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
