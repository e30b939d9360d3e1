"""The part of GitHub's API that comments and issues need, kept as GitHub keeps them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http_api import Answer, Headers

THREAD = re.compile(r"/repos/([\w.-]+/[\w.-]+)/issues/(\d+)/comments")
ISSUES = re.compile(r"/repos/[\w.-]+/[\w.-]+/issues")
ISSUE = re.compile(r"/repos/[\w.-]+/[\w.-]+/issues/(\d+)")
STATUS = re.compile(r"/repos/[\w.-]+/[\w.-]+/statuses/(\w+)")
COMMENT = re.compile(r"/repos/[\w.-]+/[\w.-]+/issues/comments/(\d+)")


@dataclass
class Discussion:
    """The comments of one pull request, what was asked, and the answers that go wrong first."""

    token: str = "token-of-the-job"
    author: str = "github-actions[bot]"
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    failures: list[Answer] = field(default_factory=list)
    url: str = ""

    def add(self, body: str, author: str | None = None) -> dict[str, Any]:
        """A comment that is there before."""
        number = 1 + max((comment["id"] for comment in self.comments), default=1000)
        comment = {"id": number, "body": body, "user": {"login": author or self.author}, "html_url": f"https://forge.example/c{number}"}
        self.comments.append(comment)
        return comment

    def add_issue(self, fields: dict[str, Any], author: str | None = None) -> dict[str, Any]:
        """An open issue."""
        number = len(self.issues) + 1
        about = {"number": number, "state": "open", "html_url": f"https://forge.example/i{number}"}
        issue = about | {"user": {"login": author or self.author}} | fields
        self.issues.append(issue)
        return issue

    @property
    def open_issues(self) -> list[str]:
        return [f"{issue['title']}\n{issue['body']}" for issue in self.issues if issue["state"] == "open"]

    @property
    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]

    def answer(self, method: str, target: str, headers: Headers, content: bytes) -> Answer:
        """One call, as GitHub answers it."""
        body: dict[str, Any] = json.loads(content or b"{}")
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.calls.append(f"{method} {path}")
        if self.failures:
            return self.failures.pop(0)
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {}, {"message": "Bad credentials"}
        if THREAD.fullmatch(path):
            return self._thread(method, query, body)
        if found := STATUS.fullmatch(path):
            self.statuses.append(f"{found[1]} {body['context']}: {body['state']}")
            return 201, {}, body
        if ISSUES.fullmatch(path):
            return self._issues(method, query, body)
        if found := ISSUE.fullmatch(path):
            self.issues[int(found[1]) - 1].update(body)
            return 200, {}, self.issues[int(found[1]) - 1]
        found = COMMENT.fullmatch(path)
        comment = next((item for item in self.comments if found and item["id"] == int(found[1])), None)
        return self._comment(method, comment, body) if comment else (404, {}, {"message": "Not Found"})

    def _thread(self, method: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        if method == "POST":
            return 201, {}, self.add(body["body"])
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return 200, {}, self.comments[size * (page - 1) : size * page]

    def _issues(self, method: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        if method == "POST":
            return 201, {}, self.add_issue(body)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        found = [issue for issue in self.issues if issue["state"] == query["state"][0]]
        return 200, {}, found[size * (page - 1) : size * page]

    def _comment(self, method: str, comment: dict[str, Any], body: dict[str, Any]) -> Answer:
        if method == "DELETE":
            self.comments.remove(comment)
            return 204, {}, None
        comment["body"] = body["body"]
        return 200, {}, comment
