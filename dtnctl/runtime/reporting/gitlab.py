"""GitLab's notes and statuses. Source: https://docs.gitlab.com/api/notes and /api/commits, version 4 of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from dtnctl.render.review import State, Status
from dtnctl.runtime.reporting.calls import Calls
from dtnctl.runtime.reporting.forge import Posted

STATES: Mapping[State, str] = {"success": "success", "failure": "failed", "error": "failed"}


def gitlab_headers(token: str) -> Mapping[str, str]:
    return {"PRIVATE-TOKEN": token}


@dataclass(frozen=True, slots=True)
class GitLab:
    """A project, by number or path, and one of its merge requests, by the number that people see. `address` is the merge request's page.

    Notes of the token's own user are ours.
    """

    calls: Calls
    project: str
    merge_request: int
    address: str

    def comments(self) -> Sequence[Posted]:
        """All notes that people and programs wrote."""
        user = int(self.calls.call("GET", "/user")["id"])
        entries = self.calls.pages(self._thread, sort="asc", order_by="created_at")
        own = ((entry, entry["author"]["id"] == user) for entry in entries if not entry.get("system"))
        return [Posted(int(entry["id"]), entry["body"] or "", self._page(entry["id"]), is_ours) for entry, is_ours in own]

    def create(self, body: str) -> str:
        """The address of a new note."""
        return self._page(self.calls.call("POST", self._thread, {"body": body})["id"])

    def edit(self, posted: Posted, body: str) -> str:
        """The address of the note, which now has this text."""
        return self._page(self.calls.call("PUT", f"{self._thread}/{posted.id}", {"body": body})["id"])

    def delete(self, posted: Posted) -> None:
        """It is gone, whoever was first."""
        self.calls.call("DELETE", f"{self._thread}/{posted.id}")

    def set_status(self, commit: str, status: Status, address: str) -> None:
        """The commit has this status; an earlier one of its name is replaced."""
        body = {"state": STATES[status.state], "name": status.name, "description": status.text}
        self.calls.call("POST", f"{self._project}/statuses/{commit}", body | ({"target_url": address} if address else {}))

    @property
    def _project(self) -> str:
        return f"/projects/{quote(self.project, safe='')}"

    @property
    def _thread(self) -> str:
        return f"{self._project}/merge_requests/{self.merge_request}/notes"

    def _page(self, number: object) -> str:
        return f"{self.address}#note_{number}"
