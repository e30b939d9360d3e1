"""hack/ci/comment.py against a server that plays GitHub: one comment for each site of a pull request, whatever happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.github_api import Discussion, serve

PROGRAM = Path(__file__).parents[2] / "hack" / "ci" / "comment.py"
PLAN = "<!-- dtnctl:plan site=scinet hash=5d0e -->\n### dtnctl plan · 2 changes\n"
NEWER_PLAN = PLAN.replace("5d0e", "77aa").replace("2 changes", "3 changes")
NEVER_WAIT = {"Retry-After": "0"}


@pytest.fixture
def discussion() -> Iterator[Discussion]:
    with serve(Discussion()) as served:
        yield served


@pytest.fixture
def comment(discussion: Discussion, tmp_path: Path) -> Comment:
    return Comment(discussion, tmp_path / "plan.md")


class Comment:
    """Runs the program as the workflow does."""

    def __init__(self, discussion: Discussion, path: Path) -> None:
        self.path = path
        self.environment = {
            "GITHUB_API_URL": discussion.url,
            "GITHUB_REPOSITORY": "scinet/state",
            "GITHUB_TOKEN": discussion.token,
            "PULL_REQUEST": "7",
        }

    def __call__(self, body: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.path.write_text(body)
        command = [sys.executable, str(PROGRAM), str(self.path)]
        return subprocess.run(command, env=self.environment | environment, text=True, capture_output=True, check=False)


def test_first_push_makes_the_comment(comment: Comment, discussion: Discussion) -> None:
    ran = comment(PLAN)
    assert (ran.returncode, ran.stdout) == (0, "comment: created https://forge.example/c1001\n"), ran.stderr
    assert discussion.bodies == [PLAN.strip()]
    assert discussion.calls[-1] == "POST /repos/scinet/state/issues/7/comments"


def test_later_push_edits_it(comment: Comment, discussion: Discussion) -> None:
    comment(PLAN)
    ran = comment(NEWER_PLAN)
    assert ran.stdout == "comment: edited https://forge.example/c1001\n"
    assert discussion.bodies == [NEWER_PLAN.strip()]


def test_same_plan_writes_nothing(comment: Comment, discussion: Discussion) -> None:
    discussion.add(PLAN.replace("\n", "\r\n"))
    ran = comment(PLAN)
    assert ran.stdout == "comment: unchanged https://forge.example/c1001\n"
    assert [call.split()[0] for call in discussion.calls] == ["GET"]


def test_each_site_has_its_own_comment(comment: Comment, discussion: Discussion) -> None:
    comment(PLAN)
    comment(PLAN.replace("site=scinet ", "site=scinet-test "))
    comment(NEWER_PLAN)
    assert [body.split()[2] for body in discussion.bodies] == ["site=scinet", "site=scinet-test"]
    assert "77aa" in discussion.bodies[0]


def test_comments_of_others_stay_even_with_our_marker(comment: Comment, discussion: Discussion) -> None:
    discussion.add(PLAN, author="mallory")
    discussion.add("I quote:\n" + PLAN)
    comment(NEWER_PLAN)
    assert discussion.bodies == [PLAN, "I quote:\n" + PLAN, NEWER_PLAN.strip()]


def test_copies_are_removed_and_the_oldest_is_kept(comment: Comment, discussion: Discussion) -> None:
    for _ in range(3):
        discussion.add(PLAN)
    comment(NEWER_PLAN)
    assert [item["id"] for item in discussion.comments] == [1001]
    assert discussion.bodies == [NEWER_PLAN.strip()]


def test_comment_is_found_behind_a_hundred_others(comment: Comment, discussion: Discussion) -> None:
    for number in range(250):
        discussion.add(f"comment {number}", author="alice")
    ours = discussion.add(PLAN)
    ran = comment(NEWER_PLAN)
    assert ran.stdout.startswith("comment: edited")
    assert ours["body"] == NEWER_PLAN.strip()


@pytest.mark.parametrize(
    "failure",
    [
        (502, NEVER_WAIT, {"message": "Server Error"}),
        (429, NEVER_WAIT, {"message": "slow down"}),
        (403, NEVER_WAIT, {"message": "You have exceeded a secondary rate limit"}),
    ],
    ids=lambda failure: str(failure[0]),
)
def test_busy_server_is_asked_again(comment: Comment, discussion: Discussion, failure: tuple[int, dict[str, str], object]) -> None:
    discussion.failures = [failure, failure]
    ran = comment(PLAN)
    assert ran.returncode == 0, ran.stderr
    assert discussion.bodies == [PLAN.strip()]


def test_server_that_stays_down_is_an_error_that_says_so(comment: Comment, discussion: Discussion) -> None:
    discussion.failures = [(503, NEVER_WAIT, {"message": "Unavailable"})] * 4
    ran = comment(PLAN)
    assert ran.returncode == 1
    assert "503 Unavailable; gave up after 4 tries" in ran.stderr


def test_refusal_is_said_once_in_githubs_words(comment: Comment, discussion: Discussion) -> None:
    discussion.failures = [(403, {}, {"message": "Resource not accessible by integration"})]
    ran = comment(PLAN)
    assert ran.returncode == 1
    assert "403 Resource not accessible by integration" in ran.stderr
    assert len(discussion.calls) == 1


def test_token_is_in_no_output(comment: Comment, discussion: Discussion) -> None:
    discussion.token = "another"
    ran = comment(PLAN)
    assert "401 Bad credentials" in ran.stderr
    assert "token-of-the-job" not in ran.stdout + ran.stderr


def test_token_does_not_follow_a_redirect(comment: Comment, discussion: Discussion) -> None:
    with serve(Discussion()) as elsewhere:
        discussion.failures = [(301, {"Location": f"{elsewhere.url}/repos/a/b/issues/7/comments"}, None)]
        ran = comment(PLAN)
        assert ran.returncode == 1
        assert elsewhere.calls == []


def test_token_does_not_travel_in_the_clear(comment: Comment) -> None:
    ran = comment(PLAN, GITHUB_API_URL="http://forge.example")
    assert "GITHUB_API_URL is not https" in ran.stderr


def test_everything_that_is_not_set_is_named_at_once(comment: Comment) -> None:
    ran = comment(PLAN, GITHUB_TOKEN="", PULL_REQUEST="")
    assert ran.stderr == "comment: not set: GITHUB_TOKEN, PULL_REQUEST\n"


def test_file_without_a_marker_is_refused(comment: Comment, discussion: Discussion) -> None:
    ran = comment("### dtnctl plan\n")
    assert ran.returncode == 1
    assert "the first line is no marker" in ran.stderr
    assert discussion.calls == []


def test_comment_longer_than_github_takes_is_refused_before_it_is_sent(comment: Comment, discussion: Discussion) -> None:
    ran = comment(PLAN + "x" * 65_536)
    assert "GitHub takes 65536" in ran.stderr
    assert discussion.calls == []
