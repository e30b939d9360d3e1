"""What a cluster says of a program that it could not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.errors import EngineError, NotFoundError
from dtnctl.providers.kubernetes.execution import NOT_STARTED, not_started, run_in_pod
from tests.providers.kubernetes.small_server import kubeconfig, refused, serving
from tests.providers.kubernetes.test_login import observer


@pytest.mark.parametrize(
    "words",
    [
        'exec: "sha256sum": executable file not found in $PATH: unknown',
        "executable file `sha256sum` not found in $PATH: No such file or directory",
        'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
    ],
)
def test_program_that_an_image_does_not_have_shows_by_its_exit_code(words: str) -> None:
    assert not_started(words).exit_code == NOT_STARTED


@pytest.mark.parametrize("words", ["failed to load task: no running task found: task 5f1e not found", 'container not found ("main")'])
def test_container_that_just_ended_is_no_missing_program(words: str) -> None:
    with pytest.raises(EngineError, match="not found"):
        not_started(words)


@pytest.mark.parametrize(("status", "kind"), [(400, EngineError), (404, NotFoundError)])
def test_websocket_that_is_refused_says_so_where_its_answer_was_closed_unread(tmp_path: Path, status: int, kind: type[EngineError]) -> None:
    """The library that opens it does that, so that the status is all that is known. A pod without a node is refused with 400."""
    path = "/api/v1/namespaces/dtn/pods/x/exec"
    answers = {path: refused(status, "pod x does not have a host assigned")}
    with serving(answers) as (_, url), observer(str(kubeconfig(tmp_path, url))) as made, pytest.raises(kind) as error:
        run_in_pod(made._cluster.connection, path, ("true",))
    assert str(error.value) == f"the cluster starts no program there (status {status}); does the container run?"
