"""Where `dtnctl reconcile` shows the statuses of commits: the forge, the repository and the API that its options name."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.pulling.sending import StatusPage
    from dtnctl.runtime.clock import Clock
    from dtnctl.runtime.reporting.forge import Forge

MOST_TOKEN = 4096
# scheme://user@host:port/owner/name.git, and ssh's user@host:owner/name.git
ADDRESSES = (
    re.compile(r"(?:ssh|https?|git)://(?:[^/@]*@)?(?P<host>[\w.-]+)(?::\d+)?/(?P<path>.+)"),
    re.compile(r"(?:[^/@:]*@)?(?P<host>[\w.-]+):(?P<path>[^/:].*)"),
)
GITHUB_HOSTS = ("github.com", "ssh.github.com")
NAME = r"(?!\.\.?(?:/|$))[\w.-]+"  # no folder above: it becomes a part of an address
OF_GITHUB = re.compile(f"{NAME}/{NAME}")
OF_GITLAB = re.compile(rf"{NAME}(?:/{NAME})+|\d+")


class StatusForge(enum.StrEnum):
    """Whose API takes the statuses."""

    github = "github"
    gitlab = "gitlab"


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """As typed. `forge`: None for no statuses at all; `api` and `repository`: empty for those of the URL that is followed."""

    forge: StatusForge | None
    token_file: str
    api: str
    repository: str


def status_page(options: StatusOptions, url: str, environment: Mapping[str, str], clock: Clock) -> StatusPage | None:
    """Where statuses go, None where none are asked for. UsageError says what is missing, before anything is fetched."""
    if options.forge is None:
        return None
    from dtnctl.cli.forge_links import details_address
    from dtnctl.pulling.sending import StatusPage

    host, path = _place(url)
    repository = options.repository or path
    pattern = OF_GITHUB if options.forge is StatusForge.github else OF_GITLAB
    if not pattern.fullmatch(repository):
        raise UsageError(
            f"which repository of {options.forge} gets the statuses? --repo does not say it; --status-repository OWNER/NAME does"
        )
    api = options.api or _api(options.forge, host)
    return StatusPage(_forge(options.forge, api, repository, _token(options.token_file), clock), details_address(environment), clock)


def _forge(forge: StatusForge, api: str, repository: str, token: str, clock: Clock) -> Forge:
    from dtnctl.pulling.sending import CALL_SECONDS
    from dtnctl.runtime.reporting.calls import Calls, checked_base
    from dtnctl.runtime.reporting.github import GitHub, github_headers
    from dtnctl.runtime.reporting.gitlab import GitLab, gitlab_headers

    base = checked_base(api, "--status-api")
    if forge is StatusForge.github:
        return GitHub(Calls(base, github_headers(token), clock, CALL_SECONDS), repository, 0, "")
    return GitLab(Calls(base, gitlab_headers(token), clock, CALL_SECONDS), repository, 0, "")


def _place(url: str) -> tuple[str, str]:
    """Host and path of a repository's URL; both empty for one that names neither, such as a folder."""
    found = next((match for pattern in ADDRESSES if (match := pattern.fullmatch(url))), None)
    return (found["host"], found["path"].strip("/").removesuffix(".git")) if found else ("", "")


def _api(forge: StatusForge, host: str) -> str:
    if not host:
        raise UsageError(f"where is the API of {forge}? --repo names no host; --status-api URL does")
    if forge is StatusForge.gitlab:
        return f"https://{host}/api/v4"
    return "https://api.github.com" if host in GITHUB_HOSTS else f"https://{host}/api/v3"


def _token(file: str) -> str:
    if not file:
        raise UsageError("--statuses needs --status-token FILE, with a token that may write statuses of commits")
    try:
        with Path(file).open(encoding="utf-8") as opened:
            token = opened.readline(MOST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    if not token:
        raise UsageError(f"{file}: its first line is empty; it should be the token")
    return token
