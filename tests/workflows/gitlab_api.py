"""The part of GitLab's API that notes and issues need, kept as GitLab keeps them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http_api import Answer, Headers

ITEMS = re.compile(r"/api/v4/projects/5/(merge_requests/7/notes|issues)")
ITEM = re.compile(r"/api/v4/projects/5/(merge_requests/7/notes|issues)/(\d+)")

USERS = {"project_5_bot": 1, "mallory": 2}


@dataclass
class GitLab:
    """The notes of merge request 7 and the issues of project 5, in the order in which they were made."""

    token: str = "glpat-secret"
    kept: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"merge_requests/7/notes": [], "issues": []})
    statuses: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def notes(self) -> list[dict[str, Any]]:
        return self.kept["merge_requests/7/notes"]

    @property
    def issues(self) -> list[dict[str, Any]]:
        return self.kept["issues"]

    def add(self, kind: str, fields: dict[str, Any], author: str = "project_5_bot") -> dict[str, Any]:
        """A note or an issue."""
        number = len(self.kept[kind]) + 1
        about = {"id": number, "iid": number, "state": "opened", "web_url": f"https://lab.example/i{number}"}
        item = about | {"author": {"id": USERS[author]}} | fields
        self.kept[kind].append(item)
        return item

    def answer(self, method: str, target: str, headers: Headers, content: bytes) -> Answer:
        """One call, as GitLab answers it."""
        body: dict[str, Any] = json.loads(content or b"{}")
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.calls.append(f"{method} {path}")
        if headers.get("PRIVATE-TOKEN") != self.token:
            return 401, {}, {"message": "401 Unauthorized"}
        if path == "/api/v4/user":
            return 200, {}, {"id": USERS["project_5_bot"]}
        if path.startswith("/api/v4/projects/5/statuses/"):
            self.statuses.append(f"{body['name']}: {body['state']}")
            return 201, {}, body
        if found := ITEMS.fullmatch(path):
            return self._items(found[1], method, query, body)
        found = ITEM.fullmatch(path)
        item = next((entry for entry in self.kept[found[1]] if entry["id"] == int(found[2])), None) if found else None
        if found is None or item is None:
            return 404, {}, {"message": "404 Not found"}
        if method == "DELETE":
            self.kept[found[1]].remove(item)
            return 204, {}, None
        item.update({"state": "closed"} if body == {"state_event": "close"} else body)
        return 200, {}, item

    def _items(self, kind: str, method: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        if method == "POST":
            return 201, {}, self.add(kind, body)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        found = [item for item in self.kept[kind] if item["state"] == query.get("state", ["opened"])[0]]
        return 200, {}, found[size * (page - 1) : size * page]
