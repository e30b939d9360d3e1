"""What holds for every test: its place in the run, signals that reach the programs that it starts, the same inputs in each run.

A run shows its results however it ends.

`make random` looks for new inputs: EXAMPLES of them for each generated test. A failure prints the blob that repeats it.
"""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it ships no types
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]  # same

from lab import kubernetes
from lab.layout import default_cache

settings.register_profile(
    "dtnctl",
    max_examples=int(os.environ.get("DTNCTL_EXAMPLES", "60")),
    deadline=None,  # the machine may be busy
    print_blob=True,
    derandomize="DTNCTL_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("dtnctl")

HERE = Path(__file__).parent
LEFT = pytest.StashKey[str]()  # what went wrong when fixtures ended with the run
OBJECTS_BETWEEN_SEARCHES = 50_000  # as dtnctl itself has it (dtnctl/cli/main.py), and for the same reason
# Files with labs that take a minute and more, longest first; those of other labs follow. A worker that began with one of them last would
# keep the run waiting, with nothing for the others.
LABS = (
    "e2e/test_drift",
    "providers/test_contract",
    "runtime/transfers/tools/",
    "e2e/test_transfer_tools",
    "e2e/test_transfers",
    "quickstart/",
    "workflows/test_git_to_endpoints",
    "agent/engine/test_network_driver",
    "agent/test_image",
    "engines/",
    "e2e/",
)
# Files without labs that take a quarter of a minute and more, longest last.
LAST = ("workflows/", "agent/", "model/", "runtime/", "providers/kubernetes/", "faults/")

# Files that need the same labs or the same server, made once for them by one worker.
TOGETHER = {
    "tests/e2e/test_drift.py": "e2e on two kinds of engines",
    "tests/e2e/test_images.py": "e2e on two kinds of engines",
    "tests/e2e/test_trouble.py": "e2e on two kinds of engines",
    "tests/providers/test_contract": "the contract on real engines",
    "tests/providers/test_round_trip.py": "the contract on real engines",
    "tests/providers/kubernetes/": "one Kubernetes API server",
    "tests/runtime/transfers/tools/": "transfers of all tools",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with labs first, the longest at the very beginning; then the others, the longest at the very end."""
    with_lab = {item.path for item in items if item.get_closest_marker("lab")}

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE).as_posix()
        if item.path in with_lab:
            return next((number for number, begin in enumerate(LABS) if path.startswith(begin)), len(LABS)) - len(LABS) - 1
        return next((number for number, begin in enumerate(LAST, start=1) if path.startswith(begin)), 0)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Whole files, as `--dist loadfile` has it, those of TOGETHER like one."""
    return _Together(config, log) if config.getvalue("dist") == "loadfile" else None


class _Together(LoadFileScheduling):  # type: ignore[misc]  # same
    """Every other worker takes files from the end. Labs mostly wait: for packages and images at first, for programs and clocks later; the
    others have something to compute meanwhile.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        if int(node.gateway.id.removeprefix("gw")) % 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((group for begin, group in TOGETHER.items() if file.startswith(begin)), file)


def pytest_collection_finish() -> None:
    """Ten thousand tests stay until the end: searching them for garbage again and again costs a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)


@pytest.hookimpl(wrapper=True, trylast=True)  # inside of the report that pytest prints then
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Fixtures of a run that was cut off (-x, Ctrl-C, its time is over) end here. One that fails then must not hide the results."""
    try:
        yield
    except Exception:  # noqa: BLE001  # whatever a fixture raises
        session.config.stash[LEFT] = traceback.format_exc()
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if text := config.stash.get(LEFT, ""):
        terminalreporter.section("fixtures that could not be ended", red=True)
        terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """A run in the background of a script ignores SIGINT, one under nohup SIGHUP, and what it starts would inherit that."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What dtnctl keeps for later runs is not put into the home folder of who runs the tests."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def engines_collect_garbage_seldom() -> Iterator[None]:
    """An engine starts its own program again for most of what it does, and a quarter of such a start was Go's search for garbage."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GOGC", "400")
        yield


@pytest.fixture(scope="session")
def cluster_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kubernetes.KubernetesApi]:
    """A Kubernetes API server without nodes, one for the run; a test removes what it made, or uses a namespace of its own."""
    if reason := kubernetes.missing():
        pytest.skip(reason)
    with kubernetes.kubernetes_api(tmp_path_factory.mktemp("cluster-api"), default_cache()) as api:
        yield api
