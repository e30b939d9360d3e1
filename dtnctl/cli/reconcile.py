"""`dtnctl reconcile`: the pull loop. Options become the parts of the loop here; what it does is in `dtnctl.pulling`."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dtnctl.cli import reconcile_options as opt
from dtnctl.cli import signals
from dtnctl.cli.messages import say
from dtnctl.cli.options import LabelOption
from dtnctl.cli.status_page import StatusOptions, status_page
from dtnctl.client.labels import checked
from dtnctl.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dtnctl.pulling.folder import LoopFolder
    from dtnctl.pulling.listening import Answers
    from dtnctl.pulling.loop import Loop, Terms
    from dtnctl.pulling.sending import Webhook
    from dtnctl.pulling.waking import Waking
    from dtnctl.repository.followed import Followed
    from dtnctl.runtime.clock import Clock

LEAST_INTERVAL = 1.0
GIT_SECONDS = 600.0  # the longest that one round asks Git without a sign of life: three calls of a remote
MOST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the loop answers, empty for nowhere, and the secret of the webhook."""

    webhook: str
    secret: bytes
    metrics: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop is made of. `run_timeout` in seconds."""

    followed: Followed
    terms: Terms
    run_timeout: float
    statuses: StatusOptions


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("reconcile")(reconcile_command)


def reconcile_command(
    repo: opt.RepoOption = "",
    branch: opt.BranchOption = "main",
    label: LabelOption = "",
    interval: opt.IntervalOption = 60.0,
    once: opt.OnceOption = False,
    state_dir: opt.StateOption = "",
    deploy_key: opt.KeyOption = "",
    known_hosts: opt.HostsOption = "",
    allowed_signers: opt.SignersOption = "",
    signed_since: opt.SinceOption = "",
    depth: opt.DepthOption = 50,
    secrets: opt.SecretsOption = "",
    owners: opt.OwnersOption = False,
    reviewed_plans: opt.ReviewsOption = False,
    run_timeout: opt.RunTimeoutOption = 3600.0,
    webhook: opt.WebhookOption = "",
    webhook_secret: opt.SecretFileOption = "",
    metrics: opt.MetricsOption = "",
    statuses: opt.StatusesOption = None,
    status_token: opt.StatusTokenOption = "",
    status_api: opt.StatusApiOption = "",
    status_repository: opt.StatusRepositoryOption = "",
    print_unit: opt.UnitOption = False,
) -> int:
    """Follow a branch: fetch, verify, plan and apply its newest good commit, again and again. Variables that `apply` reads hold for it."""
    from dtnctl.pulling.loop import Terms
    from dtnctl.repository.followed import Followed

    if print_unit:
        return _print_unit()
    if not repo:
        raise UsageError("which repository? --repo URL names it")
    followed = Followed(repo, branch, deploy_key, known_hosts, depth, checked(label)).checked()
    terms = Terms(
        max(interval, LEAST_INTERVAL), _existing(allowed_signers), _existing(secrets), reviewed_plans, owners, _commit(signed_since)
    )
    listening = Listening(webhook, _secret(webhook, webhook_secret), metrics)
    parts = Parts(followed, terms, run_timeout, StatusOptions(statuses, status_token, status_api, status_repository))
    return _follow(_state_folder(state_dir, os.environ), parts, listening, once=once)


def _follow(path: Path, parts: Parts, listening: Listening, *, once: bool) -> int:
    """Rounds until a signal ends them, or only one; the exit code."""
    with _loop(path, parts) as loop, _answering(loop, listening):
        if once:
            return _once(loop)
        loop.run()
        number = loop.waking.signal_number
    signals.say_goodbye(number)
    return 128 + number


def _once(loop: Loop) -> int:
    from dtnctl.pulling.decisions import exit_code_of

    loop.round()
    if loop.waking.is_stopped:
        raise StoppedError(loop.waking.signal_number)
    return exit_code_of(loop.journal, loop.last)


@contextlib.contextmanager
def _loop(path: Path, parts: Parts) -> Iterator[Loop]:
    """The loop in its folder, which signals end after the calls in flight."""
    from dtnctl.pulling.folder import held_folder
    from dtnctl.pulling.waking import Waking
    from dtnctl.runtime.clock import SystemClock

    clock, waking = SystemClock(), Waking()
    with contextlib.closing(waking), signals.handling(lambda number: _on_signal(waking, number)), held_folder(path, clock) as folder:
        loop = _assembled(folder, parts, waking, clock)
        try:
            loop.open()
        except OSError as error:
            raise UsageError(f"{path} cannot be used: {error}; --state-dir names another folder") from error
        yield loop


def _assembled(folder: LoopFolder, parts: Parts, waking: Waking, clock: Clock) -> Loop:
    from dtnctl.pulling.loop import Loop
    from dtnctl.pulling.programs import Programs
    from dtnctl.pulling.systemd import notifier_of
    from dtnctl.pulling.tally import Tally
    from dtnctl.repository.followed import FollowingClone

    def is_stopped() -> bool:
        return waking.is_stopped

    def beat() -> None:
        loop.beat()

    def log(text: str) -> None:
        with contextlib.suppress(OSError):  # a log that cannot be written, such as on a full disk, does not end the loop
            say(text)

    held = (folder.lock,)
    clone = FollowingClone(folder.clone, parts.followed, held, is_stopped)
    runs = Programs(folder.path, held, clock, is_stopped, beat, parts.run_timeout, parts.followed.label)
    page = status_page(parts.statuses, parts.followed.url, os.environ, clock)
    loop = Loop(folder, clone, runs, parts.terms, clock, waking, Tally(), log, _webhook(os.environ, clock), page, notifier_of(os.environ))
    return loop


def _on_signal(waking: Waking, number: int) -> None:
    """The first one asks for the end, the second one is the end: a run that was started ends by itself."""
    if waking.is_stopped:
        signals.write_now("dtnctl: stopped at once; a run in flight ends by itself")
        os._exit(128 + number)
    waking.stop(number)
    signals.write_now("dtnctl: stopping: no new steps, waiting for calls in flight; transfers go on; once more to stop at once")


# --- what it answers ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _answering(loop: Loop, listening: Listening) -> Iterator[None]:
    """The listeners, each until the loop ends; one for both if their addresses are equal."""
    from dtnctl.pulling.listening import listen

    with contextlib.ExitStack() as stack:
        for address, answers in _listeners(loop, listening).items():
            server = listen(address, answers)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            say(f"listening on {address}: {', '.join(answers.paths)}")
        yield


def _listeners(loop: Loop, listening: Listening) -> Mapping[str, Answers]:
    from dtnctl.pulling.listening import Answers

    most = loop.terms.interval + GIT_SECONDS

    def delay() -> tuple[float, float]:
        return loop.clock.monotonic() - loop.beaten, most

    def answers(address: str) -> Answers:
        secret = listening.secret if address == listening.webhook else b""
        return Answers(loop.tally, loop.waking.trigger, delay, secret, address == listening.metrics)

    return {address: answers(address) for address in (listening.webhook, listening.metrics) if address}


def _secret(address: str, file: str) -> bytes:
    """The secret of the webhook: the first line of its file. UsageError without one: whoever reaches the port could trigger fetches."""
    if not address:
        return b""
    if not file:
        raise UsageError("--webhook needs --webhook-secret FILE, with what the forge signs by")
    try:
        with Path(file).open("rb") as opened:
            secret = opened.readline(MOST_SECRET).strip()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if not secret:
        raise UsageError(f"{file}: its first line is empty; it should be the webhook's secret")
    return secret


# --- where things are ---------------------------------------------------------------------------------------


def _existing(path: str) -> str:
    """The absolute path, empty for none. UsageError if nothing is there: a list of signers that is missing must not mean that all may."""
    if path and not Path(path).exists():
        raise UsageError(f"{path}: there is no such file")
    return str(Path(path).resolve()) if path else ""


def _commit(text: str) -> str:
    """A commit by its whole id: a shorter one could become that of another."""
    from dtnctl.repository.followed import COMMIT

    if text and not COMMIT.fullmatch(text):
        raise UsageError(f"--signed-since {text}: not the full id of a commit (40 or 64 hexadecimal digits)")
    return text


def _state_folder(chosen: str, environment: Mapping[str, str]) -> Path:
    systemd = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if chosen or systemd:
        return Path(chosen or systemd)
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "dtnctl" / "reconcile"


def _webhook(environment: Mapping[str, str], clock: Clock) -> Webhook | None:
    """Where notices are posted to, as for `dtnctl report webhook`."""
    from dtnctl.pulling.sending import Webhook
    from dtnctl.runtime.reporting.calls import checked_base

    address = environment.get("DTNCTL_REPORT_URL", "")
    if not address:
        return None
    return Webhook(checked_base(address, "DTNCTL_REPORT_URL"), environment.get("DTNCTL_REPORT_SECRET", ""), clock)


def _print_unit() -> int:
    from dtnctl.pulling.systemd import unit_text

    sys.stdout.write(unit_text(_program()))
    return 0


def _program() -> str:
    """The path of this dtnctl, for a unit."""
    beside = Path(sys.executable).with_name("dtnctl")
    return str(beside if beside.exists() else Path(sys.argv[0]).resolve())
