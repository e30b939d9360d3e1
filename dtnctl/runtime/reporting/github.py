"""GitHub's comments and statuses. Source: https://docs.github.com/rest, version 2022-11-28."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dtnctl.render.review import Status
from dtnctl.runtime.reporting.calls import Calls
from dtnctl.runtime.reporting.forge import Posted


def github_headers(token: str) -> Mapping[str, str]:
    return {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(frozen=True, slots=True)
class GitHub:
    """A repository `owner/name` and one of its pull requests. Only comments of `author` are ours: a job's token cannot ask who it is."""

    calls: Calls
    repository: str
    pull_request: int
    author: str

    def comments(self) -> Sequence[Posted]:
        """All of the pull request."""
        return [self._posted(entry) for entry in self.calls.pages(self._thread)]

    def create(self, body: str) -> str:
        """The address of a new comment."""
        return str(self.calls.call("POST", self._thread, {"body": body})["html_url"])

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the comment, which now has this text."""
        return str(self.calls.call("PATCH", self._one(posted), {"body": body})["html_url"])

    def delete(self, posted: Posted) -> None:
        """It is gone, whoever was first."""
        self.calls.call("DELETE", self._one(posted))

    def set_status(self, commit: str, status: Status, address: str) -> None:
        """The commit has this status; an earlier one of its name is replaced."""
        body = {"state": status.state, "context": status.name, "description": status.text}
        self.calls.call("POST", f"/repos/{self.repository}/statuses/{commit}", body | ({"target_url": address} if address else {}))

    @property
    def _thread(self) -> str:
        return f"/repos/{self.repository}/issues/{self.pull_request}/comments"

    def _one(self, posted: Posted) -> str:
        return f"/repos/{self.repository}/issues/comments/{posted.id}"

    def _posted(self, entry: Mapping[str, Any]) -> Posted:
        author = (entry.get("user") or {}).get("login", "")
        return Posted(int(entry["id"]), entry["body"] or "", str(entry["html_url"]), author == self.author)
