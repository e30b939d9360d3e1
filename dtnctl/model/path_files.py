"""What people write of a path between sites: state/paths/NAME.yaml, and how its provider is reached, in state/site.yaml. No I/O.

What can be written of a provider depends on its kind (path_kinds.py); what files say of each other is checked in validation/paths.py.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from dtnctl.model.fields import Moment, Name, Rate, described, shown
from dtnctl.model.path_kinds import ASKED_KINDS, PATH_KINDS, STATIC, PathKind
from dtnctl.model.secret_fields import Secret
from dtnctl.model.written import Written

LOWEST_VLAN, HIGHEST_VLAN = 1, 4094
_VLANS = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
_ADDRESS = re.compile(r"https://[^\s/?#@]+(/[^\s?#]*)?|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/[^\s?#]*)?")


def parse_vlans(value: Any) -> tuple[int, int]:
    """(low, high) of `1790` or `1780-1799`, both included."""
    text = f"{value[0]}-{value[1]}" if isinstance(value, tuple) else str(value)
    match = None if isinstance(value, bool) else _VLANS.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown(value)} is no VLAN; write an id such as 1790, or a range to choose from such as 1780-1799")
    low, high = int(match[1]), int(match[2] or match[1])
    if not LOWEST_VLAN <= low <= high <= HIGHEST_VLAN:
        raise ValueError(f"{shown(value)} is no range of VLANs; write the lower one first, from {LOWEST_VLAN} to {HIGHEST_VLAN}")
    return low, high


def vlans_text(vlans: tuple[int, int]) -> str:
    """As people write it: `1790`, `1780-1799`."""
    low, high = vlans
    return str(low) if low == high else f"{low}-{high}"


Vlans = Annotated[
    tuple[int, int],
    BeforeValidator(parse_vlans),
    PlainSerializer(vlans_text, when_used="json"),
    described(
        "VLAN id or range",
        {
            "anyOf": [
                {"type": "integer", "minimum": LOWEST_VLAN, "maximum": HIGHEST_VLAN},
                {"type": "string", "pattern": "^[0-9]{1,4}(-[0-9]{1,4})?$"},
            ]
        },
    ),
]


class PathEnd(Written):
    """One end of a path."""

    endpoint: Name | None = Field(None, description="The endpoint here. The network that names the path gives the interface.")
    port: str | None = Field(
        None, min_length=1, max_length=400, description="The provider's own name of the port: `urn:ogf:network:…`, without a VLAN."
    )

    @model_validator(mode="after")
    def _is_somewhere(self) -> PathEnd:
        if self.endpoint is None and self.port is None:
            raise ValueError("write `endpoint`, `port` or both")
        return self


class PathWindow(Written):
    """When a path is needed."""

    from_: Moment | None = Field(None, alias="from", description="When it begins. Missing: now.")
    until: Moment | None = Field(None, description="When it ends; the path is released then. Missing: when its file is removed.")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @model_validator(mode="after")
    def _is_forward(self) -> PathWindow:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError("`until` is not after `from`")
        return self


class NetworkPath(Written):
    """A layer-2 path between sites. A network that says `path: NAME` gets its VLAN and its MTU from it."""

    provider: Name = Field(
        STATIC, description="`static`: somebody made it, and dtnctl checks it; or the name of one of `path_providers` in site.yaml."
    )
    ends: Annotated[tuple[PathEnd, ...], Field(strict=False, min_length=2, max_length=32)] = Field(
        description="Where it ends, two or more places."
    )
    vlan: Vlans = Field(description="VLAN id, or a range of which the lowest free one is chosen, and kept: `1780-1799`.")
    bandwidth: Rate | None = Field(None, description="Bandwidth that the provider should guarantee: `10gbit`. Missing: none.")
    mtu: int | None = Field(None, ge=576, le=65535, description="Bytes; largest IP packet that fits through it.")
    window: PathWindow | None = Field(None, description="When it is needed. Missing: as long as this file is there.")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Those of its ends, in name order."""
        return tuple(sorted({end.endpoint for end in self.ends if end.endpoint is not None}))

    @property
    def only_vlan(self) -> int | None:
        """The VLAN, where there is nothing to choose."""
        low, high = self.vlan
        return low if low == high else None

    @model_validator(mode="after")
    def _ends_differ(self) -> NetworkPath:
        for name in ("endpoint", "port"):
            found = [value for end in self.ends if (value := getattr(end, name)) is not None]
            if twice := sorted({value for value in found if found.count(value) > 1}):
                raise ValueError(f"{name} `{twice[0]}` is written for two ends")
        if not self.endpoints:
            raise ValueError("no end is at an endpoint; write `endpoint` at one of them at least")
        return self


# --- state/site.yaml ----------------------------------------------------------------------------------------


def _known_kind(text: str) -> str:
    if text not in ASKED_KINDS:
        raise ValueError(f"{shown(text)} is no kind of path provider; write one of {', '.join(ASKED_KINDS)}")
    return text


def _safe_address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is no address; write https://… without a login, a query or a fragment")
    return text.rstrip("/")


KindName = Annotated[str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": list(ASKED_KINDS)})]
ServiceAddress = Annotated[str, AfterValidator(_safe_address), described("address", {"type": "string", "pattern": "^https?://"})]
LOGIN_FIELDS = ("token", "user", "password", "client_secret", "cert", "key")


class PathProvider(Written):
    """A service that makes paths between sites, and how to log in there. Secrets by reference alone."""

    kind: KindName = Field(description="What it speaks; [kinds](paths.md#providers).")
    url: ServiceAddress = Field(description="Where its API starts: `https://…`. http is for this very machine only.")
    ca: str | None = Field(None, description="CA certificates (PEM) that signed its certificate. Missing: those that this machine trusts.")
    token: Secret | None = Field(None, description="Bearer token.")
    user: str | None = Field(None, description="User name.")
    password: Secret | None = Field(None, description="The user's password.")
    client_secret: Secret | None = Field(None, description="Secret of the client that users log in by, where tokens are asked for.")
    cert: str | None = Field(None, description="Our client certificate (PEM).")
    key: str | None = Field(None, description="Our client key (PEM).")
    options: dict[str, str] = Field(default_factory=dict, description="Settings of its kind; [what each has](paths.md#providers).")

    @property
    def row(self) -> PathKind:
        return PATH_KINDS[self.kind]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> PathProvider:
        given = tuple(name for name in LOGIN_FIELDS if getattr(self, name) is not None)
        if set(given) not in [set(login) for login in self.row.logins]:
            forms = [" and ".join(login) or "nothing" for login in self.row.logins]
            raise ValueError(f"a login at {self.kind} is {' or '.join(forms)}, and not {' and '.join(given) or 'nothing'}")
        unknown = sorted(self.options.keys() - self.row.options.keys())
        if unknown:
            raise ValueError(f"{self.kind} has no option `{unknown[0]}`; it has {', '.join(sorted(self.row.options))}")
        missing = [name for name in self.row.required if name not in self.options]
        if missing:
            raise ValueError(f"{self.kind} needs the option `{missing[0]}` under `options:`")
        for name in self.row.addresses:
            _safe_address(self.options[name])
        return self
