"""One open issue of a repository for each site: opened, edited and closed, and found again by its text's hidden marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from dtnctl.render.review import same_text
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.reporting.calls import Calls, patiently
from dtnctl.runtime.reporting.forge import Posted, ours


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
        found = ours(issues.opened(), marker)
        for copy in found[1:]:
            issues.close(copy)
        if not found:
            return f"created {issues.create(title, body)}"
        return f"unchanged {found[0].address}" if same_text(found[0].body, body) else f"edited {issues.edit(found[0], body)}"

    return patiently(publish, clock)


def close_issue(issues: Issues, marker: str, clock: Clock) -> str:
    """No issue with this marker stays open."""

    def close() -> str:
        found = ours(issues.opened(), marker)
        for posted in found:
            issues.close(posted)
        return f"closed {', '.join(posted.address for posted in found)}" if found else "there is none"

    return patiently(close, clock)


@dataclass(frozen=True, slots=True)
class GitHubIssues:
    """Of a repository `owner/name`. Only issues of `author` are ours: a job's token cannot ask who it is."""

    calls: Calls
    repository: str
    author: str

    def opened(self) -> Sequence[Posted]:
        """Without pull requests, which GitHub lists as issues too."""
        items = self.calls.pages(f"/repos/{self.repository}/issues", state="open")
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
        items = self.calls.pages(self._issues, state="opened")
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
