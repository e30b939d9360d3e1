"""What people write into `state/site.yaml`: who they are, and the guard rails. No I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dtnctl.model.checks import CHECKS, Severity, check_id
from dtnctl.model.fields import (
    CountOrShare,
    Duration,
    Name,
    RepositoryId,
)
from dtnctl.model.freeze import Freeze
from dtnctl.model.owners import Owners
from dtnctl.model.path_files import PathProvider
from dtnctl.model.path_kinds import PATH_KINDS, STATIC, PathKind
from dtnctl.model.secret_fields import Secret
from dtnctl.model.written import Written


class Limits(Written):
    max_prune: CountOrShare = Field(
        "25%", description="Most sessions that one apply may remove: a number or a share, `25%`. One is always allowed."
    )
    parallel: int = Field(8, ge=1, le=64, description="Steps at once over all endpoints.")
    path_bandwidth: Literal["block", "warn"] = Field(
        "block", description="What a plan does where paths are promised more bandwidth than their interface has: refuse them, or say so."
    )
    expiry_notice: Duration = Field(7 * 86400.0, description="Plans name the sessions that expire within this time; 0: none.")
    running_transfers: Literal["wait", "interrupt"] = Field(
        "wait",
        description="What a change does that would cut off a running transfer. `wait`: it is held back until that has ended; `interrupt`: "
        "it cuts it off. `--interrupt NAME` and `--defer-until-idle` decide for one run.",
    )


class Registry(Written):
    """How to log in at an image registry. The secret itself is never written here."""

    username: str | None = Field(None, description="User name, if it is no secret.")
    username_env: str | None = Field(None, description="Environment variable that holds the user name.")
    password: Secret | None = Field(None, description="The password or token.")
    password_env: str | None = Field(None, description="Environment variable that holds the password or token.")
    password_file: str | None = Field(None, description="File that holds the password or token (first line).")

    @model_validator(mode="after")
    def _has_one_password(self) -> Registry:
        if [self.password, self.password_env, self.password_file].count(None) != 2:
            raise ValueError("write exactly one of password, password_env and password_file")
        if (self.username is None) == (self.username_env is None):
            raise ValueError("write exactly one of username and username_env")
        return self


CheckId = Annotated[
    str, AfterValidator(check_id), WithJsonSchema({"type": "string", "enum": list(CHECKS), "$comment": "[id of a check](doctor.md)"})
]


class Doctor(Written):
    """What `dtnctl endpoints doctor` leaves out or takes more or less seriously at this site."""

    ignore: Annotated[tuple[CheckId, ...], Field(strict=False)] = Field((), description="Checks that are not made.")
    severities: dict[CheckId, Severity] = Field(
        default_factory=dict, description="How bad a deviation is, by check: `cpu.smt: warning`. Missing: as the check says."
    )


class Receipts(Written):
    """The records of transfers and of runs that this repository keeps in the refs `refs/dtnctl/receipts` and `refs/dtnctl/runs`."""

    remote: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$",
        description="Git remote that they are fetched from before a plan and pushed to, never by force: `origin`. "
        "Missing: they stay in the clone that applied.",
    )


class Review(Written):
    """What `apply --reviewed` does, which CI runs, when the plan is not the one that a pull request showed."""

    if_changed: Literal["continue", "stop"] = Field(
        "continue",
        description="The plan has changed since its review. `continue`: go on unless something of it is more dangerous than what was shown "
        "(it stops, removes or starts more); `stop`: never go on with another plan.",
    )
    if_missing: Literal["continue", "stop"] = Field(
        "continue", description="No plan was reviewed for this state, as after a push without a pull request."
    )


class SiteSettings(Written):
    """Who we are, and the guard rails."""

    name: Name = Field(description="Name of this site; part of every object's label and name on the endpoints.")
    id: RepositoryId | None = Field(
        None,
        description="This repository's own id, made by `dtnctl init`: a label of every object. Objects with another one are never touched.",
    )
    adopts: Literal["unlabelled"] | None = Field(
        None, description="`unlabelled`: objects of this site's name without an id, made before there was one, are this repository's."
    )
    fingerprint_key: Secret | None = Field(
        None,
        description="Key of the fingerprints of secrets: 16 characters or more that no one can guess. Missing: fingerprints are made "
        "slowly, and shorter secrets are refused. To change it recreates every container that has a secret.",
    )
    secret_references: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        None,
        description="References to secrets that files other than site.yaml and endpoints may use (patterns): `env:DTN_*`, "
        "`sops:secrets.yaml#*`. Missing: any.",
    )
    limits: Limits = Field(default_factory=Limits, description="Guard rails of one apply.")
    freeze: Freeze = Field((), description="Windows in which nothing is changed on any endpoint; transfers start all the same.")
    registries: dict[str, Registry] = Field(default_factory=dict, description="Logins by registry host, e.g. `reg.example.net:5000`.")
    path_providers: dict[Name, PathProvider] = Field(
        default_factory=dict, description="Services that make paths between sites, by the names that paths call them."
    )
    review: Review = Field(default_factory=Review, description="How far apply keeps to the plan that was reviewed.")
    receipts: Receipts = Field(default_factory=Receipts, description="Where receipts of transfers and the record of runs go.")
    owners: Owners = Field(default_factory=Owners, description="Who may change which files of this repository.")
    doctor: Doctor = Field(default_factory=Doctor, description="This site's own view of what hosts should be like.")

    def path_kind(self, provider: str) -> PathKind | None:
        """What a provider of paths can be asked for; None if there is none of that name."""
        if provider == STATIC:
            return PATH_KINDS[STATIC]
        found = self.path_providers.get(provider)
        return found.row if found is not None else None

    @model_validator(mode="after")
    def _adopts_for_an_id(self) -> SiteSettings:
        if self.adopts is not None and self.id is None:
            raise ValueError("`adopts:` needs `id:`, the id that the objects are adopted for")
        return self
