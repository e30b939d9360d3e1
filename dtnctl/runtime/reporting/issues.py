"""One open issue of a repository for each site: opened, edited and closed, and found again by its text's hidden marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from dtnctl.render.review import same_text, shown_by
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import Calls, patiently
from dtnctl.runtime.reporting.forge import MOST_PAGES, PAGE, Posted


class Issues(Protocol):
    """What GitHub and GitLab both have. Each call may raise BusyError and ReportError."""

    def opened(self) -> Sequence[Posted]:
        """All that are open."""

    def create(self, title: str, body: str) -> str:
        """The address of a new issue."""

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the issue, which now has this text."""

    def close(self, posted: Posted) -> None:
        """It is closed."""


def publish_issue(issues: Issues, marker: str, title: str, body: str, clock: Clock) -> str:
    """Exactly one open issue with this marker: what was done, and its address. Doing it twice is the same as doing it once."""

    def publish() -> str:
        found = _ours(issues, marker)
        for copy in found[1:]:
            issues.close(copy)
        if not found:
            return f"created {issues.create(title, body)}"
        return f"unchanged {found[0].address}" if same_text(found[0].body, body) else f"edited {issues.edit(found[0], body)}"

    return patiently(publish, clock)


def close_issue(issues: Issues, marker: str, clock: Clock) -> str:
    """No issue with this marker stays open."""

    def close() -> str:
        found = _ours(issues, marker)
        for posted in found:
            issues.close(posted)
        return f"closed {', '.join(posted.address for posted in found)}" if found else "there is none"

    return patiently(close, clock)


def _ours(issues: Issues, marker: str) -> list[Posted]:
    return sorted((item for item in issues.opened() if item.is_ours and shown_by(item.body, marker)), key=lambda item: item.id)


def _pages(calls: Calls, path: str) -> list[Any]:
    found: list[Any] = []
    for page in range(1, MOST_PAGES + 1):
        items = calls.call("GET", f"{path}&per_page={PAGE}&page={page}")
        found += items
        if len(items) < PAGE:
            break
    return found


@dataclass(frozen=True, slots=True)
class GitHubIssues:
    """Of a repository `owner/name`. Only issues of `author` are ours: a job's token cannot ask who it is."""

    calls: Calls
    repository: str
    author: str

    def opened(self) -> Sequence[Posted]:
        """Without pull requests, which GitHub lists as issues too."""
        items = _pages(self.calls, f"/repos/{self.repository}/issues?state=open")
        return [self._posted(item) for item in items if "pull_request" not in item]

    def create(self, title: str, body: str) -> str:
        """The address of a new issue."""
        return str(self.calls.call("POST", f"/repos/{self.repository}/issues", {"title": title, "body": body})["html_url"])

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the issue, which now has this text."""
        return str(self.calls.call("PATCH", f"/repos/{self.repository}/issues/{posted.id}", {"body": body})["html_url"])

    def close(self, posted: Posted) -> None:
        """It is closed."""
        self.calls.call("PATCH", f"/repos/{self.repository}/issues/{posted.id}", {"state": "closed"})

    def _posted(self, item: Mapping[str, Any]) -> Posted:
        author = (item.get("user") or {}).get("login", "")
        return Posted(int(item["number"]), item["body"] or "", str(item["html_url"]), author == self.author)


@dataclass(frozen=True, slots=True)
class GitLabIssues:
    """Of a project, by number or path. Those of the token's own user are ours."""

    calls: Calls
    project: str

    def opened(self) -> Sequence[Posted]:
        """All that are open."""
        user = int(self.calls.call("GET", "/user")["id"])
        items = _pages(self.calls, f"{self._issues}?state=opened")
        return [Posted(int(item["iid"]), item["description"] or "", str(item["web_url"]), item["author"]["id"] == user) for item in items]

    def create(self, title: str, body: str) -> str:
        """The address of a new issue."""
        return str(self.calls.call("POST", self._issues, {"title": title, "description": body})["web_url"])

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the issue, which now has this text."""
        return str(self.calls.call("PUT", f"{self._issues}/{posted.id}", {"description": body})["web_url"])

    def close(self, posted: Posted) -> None:
        """It is closed."""
        self.calls.call("PUT", f"{self._issues}/{posted.id}", {"state_event": "close"})

    @property
    def _issues(self) -> str:
        return f"/projects/{quote(self.project, safe='')}/issues"
