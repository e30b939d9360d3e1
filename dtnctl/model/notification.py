"""Whom a transfer reports its end to: a webhook. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from dtnctl.model.hosts import is_loopback
from dtnctl.model.secret_fields import Secret, form_of
from dtnctl.model.written import Written

Ending = Literal["succeeded", "partial", "failed", "cancelled", "unknown"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
DUE = "due"  # what a receipt's `notified` says until its notification was sent, or given up


def check_webhook(url: str) -> str:
    """The URL, if something may be posted to it: over HTTPS, or within this machine. ValueError has no word of it: it may be a secret."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host and is_loopback(host)):
        raise ValueError("a webhook is an https:// address; http:// is for this machine's own loopback alone")
    if not host:
        raise ValueError("the webhook's address names no host")
    return url


def _check_file(path: str) -> str:
    if not posixpath.isabs(path):
        raise ValueError(f"{path!r} is not an absolute path")
    return path


@dataclass(frozen=True, slots=True)
class Notification:
    """One of `url`, `url_env`, `url_file` and `url_secret`, a reference, is not empty. `states`: those that are reported."""

    url: str = ""
    url_env: str = ""
    url_file: str = ""
    states: tuple[Ending, ...] = ENDINGS
    url_secret: str = ""


Url = Annotated[Annotated[Secret, Tag("mapping")] | Annotated[str, AfterValidator(check_webhook), Tag("text")], Discriminator(form_of)]


class Notify(Written):
    """A webhook that gets one POST with JSON when the transfer has come to its end."""

    url: Url | None = Field(None, description="`https://…`, where it is no secret: it is in Git and in plans; else `{secret: REFERENCE}`.")
    url_env: str | None = Field(None, min_length=1, description="Environment variable that holds it, where apply runs.")
    url_file: Annotated[str, AfterValidator(_check_file)] | None = Field(
        None, description="File that holds it (first line), where apply runs; an absolute path."
    )
    states: Annotated[tuple[Ending, ...], Field(strict=False, min_length=1)] = Field(ENDINGS, description="The ends that are reported.")

    @model_validator(mode="after")
    def _is_one(self) -> Notify:
        if sum(item is not None for item in (self.url, self.url_env, self.url_file)) != 1:
            raise ValueError("write one of url, url_env and url_file")
        return self

    @property
    def value(self) -> Notification:
        """As plans carry it."""
        reference = self.url.secret if isinstance(self.url, Secret) else ""
        url = self.url if isinstance(self.url, str) else ""
        return Notification(url, self.url_env or "", self.url_file or "", tuple(sorted(set(self.states))), reference)
