"""Local server processes: whatever happens to the one who started them, nothing stays. All are real."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scorebench.errors import InputError
from scorebench.servers import leftovers
from scorebench.servers.cores import check_cpus, parse_cpus
from scorebench.servers.process import SupervisedProcess
from tests import requirements

PATIENCE_S = 40.0
# A server with a worker, as uvicorn has them; both write their process ids before they sleep.
SERVER = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
if os.fork() == 0:
    os.setsid()  # a worker that leaves the session and the process group
    (folder / "worker").write_text(str(os.getpid()))
    time.sleep(600)
(folder / "server").write_text(str(os.getpid()))
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
STARTER = """
import pathlib, sys, time
from scorebench import servers
from scorebench.servers.process import SupervisedProcess

class Sleeper:
    kind, endpoint = "sleeper", "http://127.0.0.1:1"
    def __init__(self, folder):
        command = [sys.executable, "-c", sys.argv[2], str(folder)]
        self.process = SupervisedProcess("sleeper", command, folder / "log")
    def start(self, progress=None): self.process.start()
    def wait_ready(self, progress=None, timeout_s=None):
        files = [pathlib.Path(sys.argv[1]) / name for name in ("server", "worker")]
        while not all(file.exists() and file.stat().st_size for file in files): time.sleep(0.05)
    def stop(self): self.process.stop()

try:
    with servers.running(Sleeper(pathlib.Path(sys.argv[1]))):
        print("up", flush=True)
        exec(sys.argv[3])
except KeyboardInterrupt:
    sys.exit(130)
"""


SLOW_STOP = """
import pathlib, sys, time
from scorebench import servers

class Slow:
    kind, endpoint = "slow", "http://127.0.0.1:1"
    def start(self, progress=None): pass
    def wait_ready(self, progress=None, timeout_s=None): pass
    def stop(self):
        print("stopping", flush=True)
        time.sleep(1)
        pathlib.Path(sys.argv[1], "stopped").touch()

with servers.running(Slow()):
    pass
"""


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBENCH_RUNTIME_DIR", str(tmp_path / "runtime"))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the server writes its ids; whatever is left of it at the end is killed."""
    home = tmp_path / "server"
    home.mkdir()
    yield home
    for pid in filter(None, (_pid(home, name) for name in ("server", "worker"))):
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()


def test_stop_leaves_no_descendant(folder: Path) -> None:
    """A worker in a session of its own ends with the server."""
    process = _supervised(folder, SERVER)
    process.start()
    pids = _both(folder)
    assert set(pids) <= set(process.pids())
    process.stop()
    assert not any(map(psutil.pid_exists, pids))
    assert not process.alive()


def test_a_process_that_ignores_sigterm_is_killed(folder: Path) -> None:
    """SIGTERM is asked first; who ignores it is killed after the grace."""
    process = _supervised(folder, STUBBORN + SERVER)
    process.start()
    pids = _both(folder)
    process.stop()
    assert not any(map(psutil.pid_exists, pids))


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 128 + 9)]
)
def test_the_status_is_the_commands(folder: Path, code: str, status: int) -> None:
    """The exit status that is told is the command's own, 128 + n for signal n, as a shell has it."""
    process = _supervised(folder, code)
    process.start()
    _until(lambda: not process.alive())
    assert process.exit_status() == status
    process.stop()


def test_the_log_holds_both_outputs(folder: Path) -> None:
    """What the command says on either output is in the log."""
    process = _supervised(folder, "import sys; print('one', flush=True); print('two', file=sys.stderr)")
    process.start()
    _until(lambda: not process.alive())
    assert process.log.read_text() == "one\ntwo\n"
    process.stop()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")
def test_cores_are_inherited(folder: Path) -> None:
    """The command and its worker run on the given core alone."""
    core = min(os.sched_getaffinity(0))
    process = SupervisedProcess(
        "test", [sys.executable, "-c", SERVER, str(folder)], folder / "log", cpus=[core]
    )
    process.start()
    affinities = [os.sched_getaffinity(pid) for pid in _both(folder)]
    process.stop()
    assert affinities == [{core}, {core}]


def test_a_killed_parent_leaves_nothing(folder: Path) -> None:
    """After SIGKILL of the one who started it, server and worker end by themselves."""
    starter = _starter(folder, "time.sleep(600)")
    pids = _both(folder)
    starter.kill()
    starter.wait()
    _until(lambda: not any(map(_runs, pids)))


def test_the_next_start_ends_what_was_left(folder: Path) -> None:
    """If the watching process was killed too, the next start finds server and worker, and says so."""
    starter = _starter(folder, "time.sleep(600)")
    pids = _both(folder)
    supervisor = next(
        p for p in psutil.Process(starter.pid).children() if "scorebench" in " ".join(p.cmdline())
    )
    starter.send_signal(signal.SIGSTOP)  # or it would tidy up
    supervisor.kill()
    starter.kill()
    starter.wait()
    assert all(map(_runs, pids))
    assert leftovers.stop_abandoned() == [f"sleeper of process {starter.pid}"]
    assert not any(map(_runs, pids))
    assert leftovers.stop_abandoned() == []


def test_another_start_leaves_a_living_ones_server_alone(folder: Path) -> None:
    """What a process started that still lives is not touched."""
    process = _supervised(folder, SERVER)
    process.start()
    pids = _both(folder)
    assert leftovers.stop_abandoned() == []
    assert all(map(_runs, pids))
    process.stop()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_signal_stops_the_server_first(folder: Path, number: signal.Signals, status: int) -> None:
    """On SIGTERM and Ctrl-C nothing of the server runs when the starter has ended."""
    starter = _starter(folder, "time.sleep(600)")
    pids = _both(folder)
    starter.send_signal(number)
    assert starter.wait(PATIENCE_S) == status
    assert not any(map(psutil.pid_exists, pids))


def test_a_signal_while_it_stops_has_the_stopping_begin_anew(folder: Path) -> None:
    """SIGTERM in the middle of taking a server down does not leave it half taken down."""
    command = [sys.executable, "-c", SLOW_STOP, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "stopping\n"
        starter.terminate()
        assert starter.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert (folder / "stopped").exists()


@pytest.mark.parametrize(("body", "status"), [("pass", 0), ("1 / 0", 1), ("sys.exit(7)", 7)])
def test_the_end_of_the_block_stops_the_server(folder: Path, body: str, status: int) -> None:
    """Normal end, failure and sys.exit alike; the status is the block's."""
    starter = _starter(folder, body)
    assert starter.wait(PATIENCE_S) == status
    assert not any(map(psutil.pid_exists, _both(folder)))


def test_a_forked_child_leaves_the_server_to_its_parent(folder: Path) -> None:
    """A child that was forked inside the block and leaves it stops nothing."""
    forked = "child or (pathlib.Path(sys.argv[1]) / 'forked').touch()"
    left = "child and os.waitpid(child, 0); child and time.sleep(600)"
    starter = _starter(folder, f"import os; child = os.fork(); {forked}; {left}")
    pids = _both(folder)
    children = psutil.Process(starter.pid).children
    _until((folder / "forked").exists)  # Python drops what a signal raises while it forks
    _until(lambda: len(children()) == 1)  # the child has left; the supervisor is there
    assert all(map(_runs, pids))
    starter.terminate()
    starter.wait(PATIENCE_S)


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    """Notes that others could write would let them choose what is killed."""
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime").chmod(0o755)
    with pytest.raises(InputError, match="mode 700"):
        leftovers.runtime_folder()


@pytest.mark.parametrize(("text", "cores"), [("0", (0,)), ("2,0", (0, 2)), ("1-3,3", (1, 2, 3))])
def test_cores_are_read_as_taskset_reads_them(text: str, cores: tuple[int, ...]) -> None:
    """A list of numbers and ranges, each core once."""
    assert parse_cpus(text) == cores


@pytest.mark.parametrize("text", ["", "a", "-1", "1-", "0,,1", "0x1", "0-9999999999", "9" * 5_000])
def test_other_lists_of_cores_are_refused(text: str) -> None:
    """The message names the option and shows an example."""
    with pytest.raises(InputError, match=r"--cpus .*expected cores such as 0,1"):
        parse_cpus(text)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")
def test_a_core_that_is_not_there_is_refused() -> None:
    """Before anything is started."""
    with pytest.raises(InputError, match="no core 4095"):
        check_cpus([4095])


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")
def test_a_pinned_starter_may_give_its_server_another_core(folder: Path) -> None:
    """The load keeps to its core, the server to another: neither is refused, nor moved."""
    now = os.sched_getaffinity(0)
    requirements.require("two cores", len(now) > 1, "run on a machine with more")
    own, other, *_ = sorted(now)
    os.sched_setaffinity(0, {own})
    try:
        check_cpus([other])
        process = SupervisedProcess(
            "test", [sys.executable, "-c", SERVER, str(folder)], folder / "log", cpus=[other]
        )
        process.start()
        affinities = [os.sched_getaffinity(pid) for pid in _both(folder)]
        process.stop()
        assert affinities == [{other}, {other}]
        assert os.sched_getaffinity(0) == {own}
    finally:
        os.sched_setaffinity(0, now)


def test_runs_is_false_of_a_process_that_has_ended() -> None:
    """The helper of these tests can tell: true while a process sleeps, false once it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    assert _runs(process.pid)
    process.kill()
    _until(lambda: not _runs(process.pid))  # a zombie does not run
    process.wait()


def _supervised(folder: Path, code: str) -> SupervisedProcess:
    return SupervisedProcess("test", [sys.executable, "-c", code, str(folder)], folder / "log")


def _starter(folder: Path, body: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", STARTER, str(folder), SERVER, body]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _both(folder: Path) -> list[int]:
    _until(lambda: all(_pid(folder, name) for name in ("server", "worker")))
    return [int(_pid(folder, name) or 0) for name in ("server", "worker")]


def _pid(folder: Path, name: str) -> int | None:
    path = folder / name
    return int(path.read_text() or 0) or None if path.exists() else None


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)
