"""Runs a program in a running pod and waits for its end, over a websocket. What it wrote is read whole."""

from __future__ import annotations

import queue
import shlex
from typing import TYPE_CHECKING, Any

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.providers.base import Ran
from dtnctl.providers.kubernetes.errors import NOT_FOUND, refusal
from dtnctl.providers.kubernetes.pod_template import CONTAINER
from dtnctl.providers.records import recorded

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection

NOT_STARTED = 127
ROOT = ("", "root", "0", "0:0")
MISSING_PROGRAM = ("executable file", "no such file or directory")  # in the words of runc and crun


def run_in_pod(connection: Connection, path: str, command: tuple[str, ...], user: str = "") -> Ran:
    """The finished command, as `user` by `su`, since a cluster starts it as the container's user. It may take as long as it likes."""
    from httpx2 import HTTPError
    from lightkube.core.exceptions import ApiError
    from lightkube.core.generic_client import BasicRequest
    from lightkube.core.websocket import WebsocketDriver

    words = list(command) if user in ROOT else ["su", "-s", "/bin/sh", user, "-c", shlex.join(command)]
    asked: Any = {"command": words, "container": CONTAINER, "stdout": "true", "stderr": "true"}
    with recorded(connection.address, "EXEC", path):
        try:
            driver = WebsocketDriver(connection.client, BasicRequest("GET", path, params=asked))
            answer = driver.write_and_read(stdout=True, stderr=True)
        except ApiError as error:
            return not_started(str(error.status.message))
        except (HTTPError, OSError, queue.Empty) as error:
            raise UnreachableError(f"{connection.address}: the connection to the program was cut") from error
        except Exception as error:
            raise _refused(connection, error) from error
    return Ran(int(answer.exit_code), _bytes(answer.stdout), _bytes(answer.stderr))


def _bytes(written: object) -> bytes:
    """What was written is bytes, as nothing else was asked for."""
    return written if isinstance(written, bytes) else b""


def not_started(said: str) -> Ran:
    """A program that is not there has no exit code in a cluster; one in a container has 127. EngineError for all else."""
    if any(words in said.lower() for words in MISSING_PROGRAM):
        return Ran(NOT_STARTED, b"", said.encode())
    raise EngineError(said)


def _refused(connection: Connection, error: Exception) -> EngineError | UnreachableError:
    """The websocket library has errors of its own, without a common ancestor that is public."""
    response = getattr(error, "response", None)
    if response is None:
        return UnreachableError(f"{connection.address}: the connection to the program was cut: {type(error).__name__}")
    status, body = int(response.status_code), _body(response)
    if not body:
        said = f"the cluster starts no program there (status {status}); does the container run?"
        return NotFoundError(said, status) if status == NOT_FOUND else EngineError(said, status)
    return refusal(status, body)


def _body(response: Any) -> bytes:
    """What the server said; nothing where the websocket library has closed the answer unread."""
    from httpx2 import StreamError

    try:
        return bytes(response.read())
    except StreamError:
        return b""
