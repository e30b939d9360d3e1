"""A double of the parts of GitHub's and GitLab's APIs that a report uses.

It keeps comments and statuses as the forges do, answers in pages, refuses wrong tokens, and can be told to go wrong first.
Written from https://docs.github.com/rest and https://docs.gitlab.com/api; what a report does not use is not here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http_api import Answer, Headers

TOKEN = "token-of-the-job"
OURS, OTHER = 1, 2  # ids of users
LOGINS = {OURS: "github-actions[bot]", OTHER: "mallory"}

GITHUB_THREAD = re.compile(r"/repos/dtn/state/issues/7/comments")
GITHUB_COMMENT = re.compile(r"/repos/dtn/state/issues/comments/(\d+)")
GITHUB_STATUS = re.compile(r"/repos/dtn/state/statuses/(\w+)")
GITLAB_THREAD = re.compile(r"/api/v4/projects/42/merge_requests/7/notes")
GITLAB_NOTE = re.compile(r"/api/v4/projects/42/merge_requests/7/notes/(\d+)")
GITLAB_STATUS = re.compile(r"/api/v4/projects/42/statuses/(\w+)")


@dataclass
class ForgeServer:
    """`failures` are answered first; `lost`: the next POST is done and its answer is lost. `tokens` are those that it knows."""

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failures: list[Answer] = field(default_factory=list)
    posted: list[tuple[Headers, bytes]] = field(default_factory=list)
    lost: bool = False
    tokens: tuple[str, ...] = (TOKEN,)
    url: str = ""

    def add(self, body: str, author: int = OURS) -> dict[str, Any]:
        """A comment that is there before."""
        number = 1001 + len(self.comments)
        self.comments[number] = {
            "id": number,
            "body": body,
            "user": {"login": LOGINS[author]},
            "author": {"id": author},
            "html_url": f"https://forge.example/c{number}",
            "system": False,
        }
        return self.comments[number]

    @property
    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments.values()]

    def answer(self, method: str, target: str, headers: Headers, content: bytes) -> Answer | None:
        """One call as the forge answers it; None: no answer arrives."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.calls.append(f"{method} {path}")
        if self.failures:
            return self.failures.pop(0)
        if path.startswith("/hook"):
            self.posted.append((headers, content))
            return 204, {}, None
        if not {headers.get("Authorization", "").removeprefix("Bearer "), headers.get("PRIVATE-TOKEN", "")}.intersection(self.tokens):
            return 401, {}, {"message": "401 Unauthorized"}
        body = json.loads(content) if content else {}
        done = self._routed(method, path, query, body)
        if self.lost and method == "POST":
            self.lost = False
            return None
        return done

    def _routed(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        if path == "/api/v4/user":
            return 200, {}, {"id": OURS}
        if GITHUB_THREAD.fullmatch(path) or GITLAB_THREAD.fullmatch(path):
            if method == "POST":
                return 201, {}, self.add(body["body"])
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, {}, list(self.comments.values())[size * (page - 1) : size * page]
        if found := GITHUB_STATUS.fullmatch(path) or GITLAB_STATUS.fullmatch(path):
            return self._status(found[1], body)
        found = GITHUB_COMMENT.fullmatch(path) or GITLAB_NOTE.fullmatch(path)
        if found is None or int(found[1]) not in self.comments:
            return 404, {}, {"message": "Not Found"}
        return self._comment(method, int(found[1]), body)

    def _status(self, commit: str, body: dict[str, Any]) -> Answer:
        name = body.get("context") or body["name"]
        allowed = (
            ("success", "failure", "error", "pending") if "context" in body else ("success", "failed", "pending", "running", "canceled")
        )
        if body["state"] not in allowed or ("context" in body and len(body["description"]) > 140):
            return 422, {}, {"message": "Validation Failed"}
        self.statuses[commit, name] = body
        return 201, {}, body

    def _comment(self, method: str, number: int, body: dict[str, Any]) -> Answer:
        if method == "DELETE":
            del self.comments[number]
            return 204, {}, None
        self.comments[number]["body"] = body["body"]
        return 200, {}, self.comments[number]
