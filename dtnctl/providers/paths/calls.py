"""HTTP calls of a provider's API: with our login, over verified TLS, and never again by themselves. No message has a token in it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from dtnctl import __version__
from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.path_files import LOGIN_FIELDS
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.paths.base import PathAccess
from dtnctl.providers.records import recorded
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.text import shortened

LARGEST_ANSWER = 16 * 1024 * 1024
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
READS = frozenset({"GET"})
WRITES = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
UNAUTHORIZED = 401
OWN_WORDS = ("detail", "message", "error_text", "exception", "title")  # keys under which providers say what is wrong


@dataclass(frozen=True, slots=True)
class Answer:
    """`document` is what its JSON says; None if it has none, and then `text` is all that there is."""

    status: int
    text: str
    document: Any = None

    @property
    def words(self) -> str:
        """The provider's own words, fit for one line."""
        said: Any = self.document
        if isinstance(said, Mapping):
            said = next((said[key] for key in OWN_WORDS if said.get(key)), said)
            if isinstance(self.document.get("errors"), list):
                fields = (f"{item.get('field')}: {item.get('reason')}" for item in self.document["errors"] if isinstance(item, Mapping))
                said = f"{said} ({'; '.join(fields)})"
        return shortened(said if isinstance(said, str) else self.text)


@dataclass(slots=True)
class PathCalls:
    """Calls to one provider, by the methods that are allowed and no others; one connection for each.

    `asked_by_post`: paths at which the provider takes a question in the body of a POST, which writes nothing; one that ends with `/`
    stands for all below it.
    """

    access: PathAccess
    methods: frozenset[str]
    asked_by_post: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.access.name

    def send(self, method: str, path: str, body: Any = None, *, form: Mapping[str, Any] | None = None) -> Answer:
        """One call. UnreachableError if there is no answer, or one that says that what is behind the provider gives none.

        `form`: fields that are sent as a form; one with a list has its key several times.
        """
        if method not in self.methods and not (method == "POST" and self._is_question(path)):
            raise ReadOnlyError(f"this client only reads; {method} {path} was not sent")
        address = urlsplit(self.access.settings.url)
        data, kind = (
            (urlencode(form, doseq=True), "application/x-www-form-urlencoded") if form is not None else (_json(body), "application/json")
        )
        headers = {"Accept": "application/json", "User-Agent": f"dtnctl/{__version__}", **self._login(), **self.headers}
        headers |= {"Content-Type": kind} if data is not None else {}
        with recorded(self.name, method, path.partition("?")[0]):
            answer = self._exchange(address.netloc, address.scheme, method, f"{address.path}{path}", data, headers)
        if answer.status >= 500:
            raise UnreachableError(f"{self.name} answers {answer.status}: {answer.words}")
        return answer

    def _is_question(self, path: str) -> bool:
        return any(path == known or (known.endswith("/") and path.startswith(known)) for known in self.asked_by_post)

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """One call that must be taken. EngineError with the provider's words if it is refused."""
        answer = self.send(method, path, body)
        if answer.status >= 400:
            raise self.refused(answer)
        return answer

    def refused(self, answer: Answer) -> EngineError:
        """What the provider says against a call; where it is our login that it does not take, with what that is made of."""
        if answer.status != UNAUTHORIZED:
            status = "" if answer.status == 200 else f" {answer.status}"
            return EngineError(f"{self.name} answers{status}: {answer.words}", answer.status)
        given = [name for name in LOGIN_FIELDS if getattr(self.access.settings, name) is not None]
        fix = f"look at `{'` and `'.join(given)}` of {self.name} in site.yaml" if given else f"{self.name} has no login in site.yaml"
        return EngineError(f"{self.name} refuses our login (401: {answer.words}): {fix}", answer.status)

    def secret(self, name: str) -> str:
        """A token or a password of site.yaml. UnreachableError if it cannot be looked up."""
        reference = getattr(self.access.settings, name).secret
        try:
            return self.access.secrets.line(reference)
        except SecretError as error:
            raise UnreachableError(f"{self.name}: `{name}` ({reference}) cannot be used: {error}") from None

    def _login(self) -> Mapping[str, str]:
        settings = self.access.settings
        if settings.token is not None:
            return {"Authorization": f"Bearer {self.secret('token')}"}
        if settings.user is not None and settings.password is not None and "Authorization" not in self.headers:
            pair = f"{settings.user}:{self.secret('password')}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
        return {}

    def _exchange(self, host: str, scheme: str, method: str, path: str, data: str | None, headers: Mapping[str, str]) -> Answer:
        try:
            connection = self._connection(host, scheme)
            try:
                connection.request(method, path, data, dict(headers))
                response = connection.getresponse()
                text = response.read(LARGEST_ANSWER).decode("utf-8", "replace")
                return Answer(response.status, text, _document(text))
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            raise UnreachableError(f"{self.name}: the certificate is not accepted: {error.verify_message}") from error
        except TimeoutError as error:
            raise UnreachableError(f"{self.name}: no answer within {self.access.timeouts.answer:.0f} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(f"{self.name}: no answer: {getattr(error, 'strerror', None) or type(error).__name__}") from error

    def _connection(self, host: str, scheme: str) -> http.client.HTTPConnection:
        seconds = self.access.timeouts.answer
        if scheme == "http":
            return http.client.HTTPConnection(host, timeout=seconds)
        if self._context is None:
            self._context = self._trust()
        return http.client.HTTPSConnection(host, timeout=seconds, context=self._context)

    def _trust(self) -> ssl.SSLContext:
        settings, root = self.access.settings, self.access.root
        context = ssl.create_default_context(cafile=str(root / settings.ca) if settings.ca is not None else None)
        if settings.cert is not None and settings.key is not None:
            context.load_cert_chain(root / settings.cert, root / settings.key)
        return context


def _json(body: Any) -> str | None:
    return None if body is None else json.dumps(body)


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
