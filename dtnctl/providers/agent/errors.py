"""What can go wrong between us and an agent, as our errors: translated once, here, in words that say what to check."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable

from dtn_agent.protocol import Refused

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.providers.text import shortened

CHECK_CERTIFICATE = "is `agent_tls: cert` signed by the agent's client CA, for client use, and not expired?"
# dtnctl endpoints add renews all of them.
RENEW = "`dtnctl endpoints add` renews it"


def refusal(url: str, status: int, refused: Refused) -> EngineError:
    """The agent's own sentence, as the error that fits its code."""
    text = f"{url}: {shortened(refused.error)}"
    match refused.code:
        case "not-found":
            return NotFoundError(text, status)
        case "conflict":
            return ConflictError(text, status)
        case "unauthorized":
            return EngineError(f"{text}; check `agent_tls:` or `agent_token_…:` of the endpoint", status)
        case _:
            return EngineError(text, status)


def reason(error: BaseException, host: str = "", path: str = "") -> str:
    """What went wrong on the way to a host, or to a socket of this machine, and what to check."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, host)
    for kind, sentence in SENTENCES:
        if isinstance(error, kind):
            return sentence(error).format(host=host, path=path)
    return shortened(str(error))


def _distrust(error: ssl.SSLCertVerificationError, host: str) -> str:
    match error.verify_code:
        case 9:
            return "the agent's certificate is not valid yet; compare the clocks"
        case 10:
            return f"the agent's certificate has expired; {RENEW}"
        case 18 | 19 | 20 | 21:
            return "the agent's certificate is not signed by the CA in `agent_tls: ca`; is it the right file, and is this the right host?"
        case 62 | 64:
            return f"the agent's certificate is not for {host}; use a name that is in it, or let {RENEW.replace('renews', 'renew')}"
        case _:
            return f"the agent's certificate is refused: {error.verify_message}"


def _tls_failure(error: BaseException) -> str:
    text = str(error).lower().replace("_", " ")
    if "alert" in text and any(word in text for word in ("certificate", "unknown ca", "decrypt error", "access denied")):
        return f"the agent refuses our certificate; {CHECK_CERTIFICATE}"
    if "wrong version number" in text or "record layer failure" in text:
        return "what listens there does not speak TLS; is it the agent's port (5050)?"
    if isinstance(error, ssl.SSLEOFError):
        reasons = "it has just ended, or refuses our certificate"
        return f"the agent cut the TLS connection: {reasons}; {RUNS}, and {CHECK_CERTIFICATE}"
    return "no TLS connection: " + shortened(str(error)).replace("{", "").replace("}", "")


def _always(sentence: str) -> Callable[[BaseException], str]:
    return lambda _: sentence


RUNS = "does the agent run (systemctl status dtn-agent)"
MAY_OPEN = "root and the agent's group may, which is `docker` if `dtn-agent serve --group` names no other"
NO_LISTENER = f"no process listens there; {RUNS}?"
SENTENCES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (ssl.SSLError, _tls_failure),
    (TimeoutError, _always("no answer in time; is the host up, and does a firewall let the port through?")),
    (socket.gaierror, _always("there is no host of the name {host}")),
    (FileNotFoundError, _always("there is no socket at {path}; " + RUNS + "?")),
    (PermissionError, _always("this user may not open {path}; " + MAY_OPEN)),
    (ConnectionRefusedError, _always(NO_LISTENER)),
    (http.client.RemoteDisconnected, _always("the connection was cut before the answer came")),
    (ConnectionError, _always("the connection was cut before the answer came")),
    (http.client.HTTPException, _always("what answers there is not an agent of dtnctl")),
    (OSError, lambda error: shortened(str(getattr(error, "strerror", None) or error)).replace("{", "").replace("}", "")),
)
