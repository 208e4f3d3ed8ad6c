"""A run in a process of its own, where gevent may patch what it likes. Knows Locust's command line.

Knows nothing of what is measured: the results of a run are in its folder alone.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from scorebench.options.table import DEFAULT_USERS, OPTIONS
from scorebench.recordings.happenings import CUT_SHORT, SAMPLE, SERVER_ENDED, SERVER_RESTARTED
from scorebench.runs.ended import end_workers, tidy

if TYPE_CHECKING:
    from scorebench.servers.protocol import Server, ServerInfo

FOLDER_VARIABLE = "SCOREBENCH_FOLDER"
"""Environment variable: the folder to write the run to."""
SERVER_VARIABLE = "SCOREBENCH_SERVER"
"""Environment variable: the server that was started, ServerInfo as JSON."""
PROGRESS_VARIABLE = "SCOREBENCH_PROGRESS"
"""Environment variable: how to show progress to a program."""
HIDDEN_VARIABLE = "SCOREBENCH_HIDDEN"
"""Gives it, as JSON by name, the options whose values stand on no command line that we make."""
COMMAND_VARIABLE = "SCOREBENCH_COMMAND"
"""Environment variable: the command that starts the run again."""
ORIGINS_VARIABLE = "SCOREBENCH_OPTIONS_FROM"
"""Environment variable: which options were not typed, and where they were set, as JSON."""
SECRET_VARIABLE = "SCOREBENCH_CLUSTER_SECRET"  # noqa: S105 (its name)
"""What master and workers seal their messages with; with `_FILE` it names a file."""
HOST_VARIABLE = "LOCUST_HOST"
"""Locust's own name for -H."""
WATCH_S = 1.0


@dataclass(frozen=True)
class Launch:
    """A run to be: `options` by `Option.name`, what is absent has its default; `folder` is there, and empty.

    `run_time` is text such as 30s; None: until options["calls"] are done. Without `show_report` progress is
    shown all the same; the option `quiet` silences both.
    """

    url: str
    folder: Path
    users: int = DEFAULT_USERS
    spawn_rate: float | None = None
    """Users started a second; None: all at once."""
    run_time: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    processes: int | None = None
    generator_cpus: str | None = None
    command: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where options were set that were not typed, by name: a file, or a variable."""
    show_report: bool = True
    progress: str | None = None
    """`json`: progress as JSON lines, for `on_output`."""


def run(
    launch: Launch,
    server: Server | None = None,
    *,
    on_output: Callable[[str], None] | None = None,
    on_signal: Callable[[int], None] = lambda _number: None,
) -> int:
    """Run Locust to its end; its exit code is the verdict's. `launch.folder` goes if nothing was sent.

    A `server` that ends meanwhile ends the run, one whose processes change is noted in it: lines on Locust's
    standard input, whose end tells it that nobody waits for it any more. `on_output` gets each line that the
    run writes to stderr, which else goes to ours; `on_signal` the number of a SIGINT or SIGTERM that came.
    """
    described = None if server is None else server.describe()
    with _Signals(on_signal) as signals:  # before there is a process, which else may be left behind
        process = subprocess.Popen(
            [*_pinning(launch.generator_cpus), sys.executable, "-m", "locust", *_arguments(launch)],
            env=_environment(launch, described),
            stdin=subprocess.PIPE,
            stdout=None if launch.show_report else subprocess.DEVNULL,
            stderr=None if on_output is None else subprocess.PIPE,
            start_new_session=True,  # Ctrl-C comes to us alone, and once, and we pass it on
        )
        try:
            signals.pass_on_to(process)
            with _reading(process, on_output):
                code = _Watch(process, server, described).until_it_ends()
        finally:
            _end(process)
    end_workers(process.pid, was_killed=code < 0)
    code = 128 - code if code < 0 else code  # as a shell says that a signal ended it
    tidy(launch.folder, code)
    return code


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()


class _Watch:
    """Looks at the server once a second while Locust runs, and tells Locust what became of it."""

    def __init__(
        self, process: subprocess.Popen[bytes], server: Server | None, described: ServerInfo | None
    ) -> None:
        self._process, self._server = process, server
        self._pids = () if described is None else described.pids or ()

    def until_it_ends(self) -> int:
        while True:
            try:
                return self._process.wait(WATCH_S if self._server else None)
            except subprocess.TimeoutExpired:
                self._look()

    def _look(self) -> None:
        assert self._server is not None
        for sample in self._server.usage():
            _tell(self._process, SAMPLE + json.dumps(sample))
        # Processes first: those of a server that has just ended are gone too, and it is no restart.
        lost = bool(self._pids) and self._lost_a_process()
        if not self._server.alive():
            _tell(self._process, SERVER_ENDED)
            self._server = None
        elif lost:
            _tell(self._process, SERVER_RESTARTED)
            self._pids = self._server.describe().pids or ()

    def _lost_a_process(self) -> bool:
        import psutil

        return any(not psutil.pid_exists(pid) for pid in self._pids)


def _tell(process: subprocess.Popen[bytes], what: str) -> None:
    """A word for the plugin, which listens on standard input. Unbuffered: a signal may come meanwhile."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it is just ending by itself
        os.write(process.stdin.fileno(), f"{what}\n".encode())


class _Signals:
    """The first SIGINT or SIGTERM is a SIGTERM for Locust, which ends the run and reports; the third kills.

    The second has it wait no longer for the calls in flight. As a signal it would cost the report. One that
    comes before there is a process waits for it. Only the main thread hears of any.
    """

    def __init__(self, on_signal: Callable[[int], None]) -> None:
        self._on_signal = on_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._received = self._early = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for count in range(1, self._early + 1):
            self._pass_on(process, count)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self._received += 1
        self._on_signal(number)
        if self._process is None:
            self._early = self._received
        else:
            self._pass_on(self._process, self._received)

    @staticmethod
    def _pass_on(process: subprocess.Popen[bytes], count: int) -> None:
        if count == 2:
            _tell(process, CUT_SHORT)
        else:
            process.send_signal(signal.SIGTERM if count == 1 else signal.SIGKILL)


@contextmanager
def _reading(process: subprocess.Popen[bytes], on_output: Callable[[str], None] | None) -> Iterator[None]:
    """Hand on what the process says, line by line, from a thread."""
    if on_output is None or process.stderr is None:
        yield
        return

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with suppress(Exception):  # a display that fails must not block the run on a full pipe
                on_output(line.decode(errors="replace").rstrip("\n"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        reader.join(5.0)


def _environment(launch: Launch, described: ServerInfo | None) -> dict[str, str]:
    server = json.dumps(None if described is None else asdict(described))
    # Not as -H: everybody can read a command line, and a URL may hold a secret.
    variables = {
        HOST_VARIABLE: launch.url,
        FOLDER_VARIABLE: str(launch.folder.absolute()),
        SERVER_VARIABLE: server,
    }
    hidden = {one.name: value for one in OPTIONS if one.hides and (value := launch.options.get(one.name))}
    if hidden:
        variables[HIDDEN_VARIABLE] = json.dumps(hidden)
    if launch.processes and not {SECRET_VARIABLE, f"{SECRET_VARIABLE}_FILE"} & os.environ.keys():
        variables[SECRET_VARIABLE] = secrets.token_hex(32)  # other users of this machine can reach the port
    if launch.command is not None:
        variables[COMMAND_VARIABLE] = launch.command
    if launch.origins:
        variables[ORIGINS_VARIABLE] = json.dumps(dict(launch.origins))
    if launch.progress is not None:
        variables[PROGRESS_VARIABLE] = launch.progress
    return {**os.environ, **variables}


def _arguments(launch: Launch) -> list[str]:
    words = ["-f", str(Path(__file__).parents[1] / "locustfile.py"), "--headless", "--only-summary"]
    words += ["--skip-log-setup", "--config", os.devnull]
    words += ["-u", str(launch.users), "-r", f"{launch.spawn_rate or launch.users:g}"]
    words += ["-t", launch.run_time] if launch.run_time else []
    words += _cluster_arguments(launch.processes) if launch.processes else []
    for option in OPTIONS:
        value = launch.options.get(option.name)
        if option.switch:
            words += [option.flag] if value else []
        elif value is not None and value != option.default and not option.hides:
            words += [f"{option.flag}={one}" for one in (value if option.repeated else [value])]
    return words


def _cluster_arguments(processes: int) -> list[str]:
    """Master and workers on a free port of this machine; by itself Locust listens on all interfaces."""
    from scorebench.servers import ports

    host, port = ports.LOOPBACK, str(ports.claim(0))
    bind = ["--master-bind-host", host, "--master-bind-port", port]
    return ["--processes", str(processes), *bind, "--master-host", host, "--master-port", port]


def _pinning(cpus: str | None) -> list[str]:
    if cpus is None:
        return []
    from scorebench import servers

    return ["taskset", "-c", ",".join(str(cpu) for cpu in servers.parse_cpus(cpus, "--generator-cpus"))]
