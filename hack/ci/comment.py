#!/usr/bin/env python3
"""Keeps a pull request's one comment for each site up to date: makes it, edits it, and removes copies of it.

usage: comment.py PLAN.md

The first line of the file is a hidden marker, `<!-- dtnctl:plan site=NAME … -->`; the comment of an earlier push is found by it.
Read from the environment: GITHUB_TOKEN, GITHUB_REPOSITORY (owner/name), PULL_REQUEST (its number), and where they differ from
GitHub's own, GITHUB_API_URL and COMMENT_AUTHOR. Only comments of that author are touched. Standard library only: it runs
where dtnctl is not installed.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = re.compile(r"<!-- dtnctl:plan site=([\w.-]+) [^\n]*-->")
LONGEST_COMMENT = 65_536
PAGE = 100
MOST_PAGES = 50
TRIES = 4
LONGEST_WAIT = 60.0
PLAIN_HTTP = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


class CommentError(Exception):
    """Something that the reader of the job's log must mend."""


class TryAgain(Exception):  # noqa: N818  # a state, not a mistake
    """GitHub could not answer just now. `wait` is how long it asked us to wait."""

    def __init__(self, reason: str, wait: float) -> None:
        super().__init__(reason)
        self.wait = wait


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to a host that nobody named."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the comment belongs, and who writes it. The token is in no text that this program prints."""

    api: str
    repository: str
    pull_request: int
    author: str
    token: str = field(repr=False)


def read_settings(environment: dict[str, str]) -> Settings:
    """All of it, or an error that names every variable that is missing."""
    missing = [name for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "PULL_REQUEST") if not environment.get(name)]
    if missing:
        raise CommentError(f"not set: {', '.join(missing)}")
    api = environment.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    if not api.startswith("https://") and not PLAIN_HTTP.match(api):
        raise CommentError("GITHUB_API_URL is not https: the token would be readable on its way")
    if not environment["PULL_REQUEST"].isdigit():
        raise CommentError(f"PULL_REQUEST is no number: {environment['PULL_REQUEST']!r}")
    author = environment.get("COMMENT_AUTHOR", "github-actions[bot]")
    return Settings(api, environment["GITHUB_REPOSITORY"], int(environment["PULL_REQUEST"]), author, environment["GITHUB_TOKEN"])


def read_body(path: Path) -> tuple[str, str]:
    """The comment, and the site that its marker names."""
    body = path.read_text(encoding="utf-8").strip()
    found = MARKER.match(body)
    if not found:
        raise CommentError(f"{path}: the first line is no marker such as <!-- dtnctl:plan site=NAME … -->")
    if len(body) > LONGEST_COMMENT:
        raise CommentError(f"{path}: {len(body)} characters; GitHub takes {LONGEST_COMMENT}")
    return body, found[1]


class GitHub:
    """The four calls that a comment needs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opener = urllib.request.build_opener(NoRedirects)
        self._repository = f"/repos/{settings.repository}"
        self._thread = f"{self._repository}/issues/{settings.pull_request}/comments"

    def own_comments(self, site: str) -> list[dict[str, Any]]:
        """The site's comments by our author, oldest first."""
        found = []
        for page in range(1, MOST_PAGES + 1):
            comments = self._call("GET", f"{self._thread}?per_page={PAGE}&page={page}")
            found += [comment for comment in comments if self._is_own(comment, site)]
            if len(comments) < PAGE:
                break
        return sorted(found, key=lambda comment: int(comment["id"]))

    def _is_own(self, comment: dict[str, Any], site: str) -> bool:
        marker = MARKER.match(comment["body"] or "")
        return marker is not None and marker[1] == site and comment["user"]["login"] == self._settings.author

    def create(self, body: str) -> str:
        """The address of a new comment."""
        return str(self._call("POST", self._thread, body)["html_url"])

    def edit(self, comment: dict[str, Any], body: str) -> str:
        """The address of the comment, which now says `body`."""
        return str(self._call("PATCH", f"{self._repository}/issues/comments/{comment['id']}", body)["html_url"])

    def delete(self, comment: dict[str, Any]) -> None:
        """It is gone, whoever was first."""
        self._call("DELETE", f"{self._repository}/issues/comments/{comment['id']}")

    def _call(self, method: str, path: str, body: str | None = None) -> Any:
        data = None if body is None else json.dumps({"body": body}).encode()
        request = urllib.request.Request(self._settings.api + path, data, method=method, headers=self._headers())  # noqa: S310  # read_settings has checked the scheme
        try:
            with self._opener.open(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise_unless_welcome(error, method, path)
            return None
        except (OSError, http.client.HTTPException) as error:
            raise TryAgain(f"{method} {path}: no answer ({type(error).__name__})", 2.0) from None
        return json.loads(text) if text else None

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._settings.token}",
            "Content-Type": "application/json",
            "User-Agent": "dtnctl",
            "X-GitHub-Api-Version": "2022-11-28",
        }


def raise_unless_welcome(error: urllib.error.HTTPError, method: str, path: str) -> None:
    """The right error, in GitHub's own words but never with its whole answer. To delete what is not there is welcome."""
    if method == "DELETE" and error.code == 404:
        return
    try:
        message = str(json.loads(error.read())["message"])[:200]
    except (ValueError, KeyError, TypeError, OSError):
        message = error.reason
    text = f"{method} {path}: {error.code} {message}"
    is_rate_limit = error.code in (403, 429) and ("Retry-After" in error.headers or "rate limit" in message.lower())
    if is_rate_limit or error.code >= 500:
        wait = error.headers.get("Retry-After", "")
        raise TryAgain(text, float(wait) if wait.isdigit() else 2.0)
    raise CommentError(text)


def publish(github: GitHub, site: str, body: str) -> str:
    """Exactly one comment of the site, saying `body`. Doing it twice is the same as doing it once."""
    comments = github.own_comments(site)
    for copy in comments[1:]:
        github.delete(copy)
    if not comments:
        return f"created {github.create(body)}"
    kept = comments[0]
    if kept["body"].replace("\r\n", "\n").strip() == body:
        return f"unchanged {kept['html_url']}"
    return f"edited {github.edit(kept, body)}"


def publish_patiently(github: GitHub, site: str, body: str) -> str:
    """Publish, from the start again when GitHub could not answer: a lost answer to a creation leaves no second comment."""
    for left in reversed(range(TRIES)):
        try:
            return publish(github, site, body)
        except TryAgain as error:
            if left == 0:
                raise CommentError(f"{error}; gave up after {TRIES} tries") from None
            time.sleep(min(error.wait, LONGEST_WAIT))
    raise AssertionError("the last try returns or raises")


def main(arguments: list[str]) -> int:
    """The exit code: 1 with the reason on stderr when there is no up-to-date comment."""
    if len(arguments) != 1:
        print("usage: comment.py PLAN.md", file=sys.stderr)
        return 64
    try:
        body, site = read_body(Path(arguments[0]))
        print(f"comment: {publish_patiently(GitHub(read_settings(dict(os.environ))), site, body)}")
    except (CommentError, OSError) as error:
        print(f"comment: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
