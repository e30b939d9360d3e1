"""`dtnctl web`: pages in the browser that show what the commands that look show. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dtnctl.cli import names, signals
from dtnctl.cli import options as opt
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import repository_root
from dtnctl.errors import UsageError

MOST_TOKEN = 4096
PORT = 8300
HOW_TO_INSTALL = "the pages are served by starlette and uvicorn, which are not installed: pip install 'dtnctl[web]'"
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 is any that is free.", envvar="DTNCTL_WEB_PORT")
]
ListenOption = Annotated[
    str,
    typer.Option("--listen", metavar="ADDRESS", help="Address to listen on. Any but this machine's own loopback needs --token-file."),
]
TokenOption = Annotated[
    str,
    typer.Option("--token-file", metavar="FILE", help="Its first line is the token that readers must show.", autocompletion=names.files),
]
NameOption = Annotated[
    list[str], typer.Option("--name", metavar="NAME", help="Host name under which browsers reach the page, such as a proxy's.")
]
EveryOption = Annotated[
    float,
    typer.Option(
        "--interval",
        parser=opt.seconds,
        show_default="5s",
        metavar="TIME",
        help="Between two looks, while a page is open: 10s, 1m; a number is seconds.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("web")(web_command)


def web_command(
    port: PortOption = PORT,
    listen: ListenOption = "127.0.0.1",
    token_file: TokenOption = "",
    name: NameOption = [],  # noqa: B006  # typer reads the default, it never reaches a caller
    interval: EveryOption = 5.0,
    timeout: opt.TimeoutOption = 10.0,
) -> None:
    """Serve pages that show the site: endpoints, sessions, transfers, plans, history. They change nothing. Ctrl-C ends it."""
    try:
        from dtnctl.web import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise UsageError(HOW_TO_INSTALL) from error
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.web.access import is_loopback
    from dtnctl.web.watch import Pace, Watch

    host = listen.strip("[]")
    token = _token(token_file)
    if not token and not is_loopback(host):
        raise UsageError(
            f"whoever reaches {listen} could read the pages: --token-file FILE names a file with the token that readers must show"
        )
    clock = SystemClock()
    watch = Watch(repository_root(), Pace(interval, timeout), clock, _once())
    listener = serve.listening(host, port)
    number = listener.getsockname()[1]
    say(_where(host, number, token))
    with signals.exiting():  # it holds nothing, and after Ctrl-C no user waits for browsers
        serve.serve(watch, listener, serve.access_of(host, number, name, token), clock)


def _where(host: str, port: int, token: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    how = "; any name, the token as password; without TLS in front others may read along" if token else ""
    return f"dtnctl: http://{shown}:{port}/ shows this site, and changes nothing{how}; Ctrl-C ends it"


def _once() -> Callable[[str], None]:
    """Says a sentence the first time only: each look would repeat it."""
    said: set[str] = set()

    def say_once(text: str) -> None:
        if text not in said:
            said.add(text)
            say(text)

    return say_once


def _token(file: str) -> str:
    """The token; empty where no file is named."""
    from dtnctl.web.access import SHORTEST_TOKEN

    if not file:
        return ""
    try:
        with Path(file).open(encoding="ascii") as opened:
            token = opened.readline(MOST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is no ASCII text'}") from error
    if len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"{file}: its first line should be a token of at least {SHORTEST_TOKEN} characters; try `openssl rand -hex 32 >{file}`"
        )
    return token
