"""What the engine answers when it refuses: a status and the sentence that dockerd 20.10 puts into `message`."""

from __future__ import annotations


class EngineError(Exception):
    """The engine refuses a request with `status`; the client sees `{"message": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class NotModified(EngineError):  # noqa: N818  # names the state, which is no failure
    """The object is in the wanted state already: 304 with an empty body."""

    def __init__(self) -> None:
        super().__init__(304, "")


class Dropped(Exception):  # noqa: N818  # not an error of anybody's: the connection ends without an answer
    """Close the connection without an answer."""


def bad_request(message: str) -> EngineError:
    return EngineError(400, message)


def forbidden(message: str) -> EngineError:
    return EngineError(403, message)


def not_found(message: str) -> EngineError:
    return EngineError(404, message)


def conflict(message: str) -> EngineError:
    return EngineError(409, message)


def server_error(message: str) -> EngineError:
    return EngineError(500, message)
