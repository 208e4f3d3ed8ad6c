"""Signals to each process of a run, at several moments: one record for each, and how the run must end.

Knows processes and a run's folder; what a run counts is read from what it left.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

import psutil

from tests.scoring_server import Behaviour, Constant, ScoringServer
from tests.scoring_server.behaviour import Place

SERVER, GENERATOR, WORKER, LAUNCHER = "server", "generator", "worker of the generator", "scorebench run"
STARTING, RUNNING, DRAINING = "before the first call", "while calls run", "while the last calls are awaited"
STOP, KILL, TERM, INT = signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGINT
STOPPED_S = 1.5
"""How long a process is stopped before it gets SIGCONT."""
RUN_TIME_S, SERVICE_S = 3.0, 0.05
DRAINED_SERVICE_S = 3.0
"""So long does a call take where the run must end before its answer."""
ENDS_WITHIN_S = 240.0
GONE_WITHIN_S = 60.0
"""A generator that is left alone while it loads ends once it has loaded: long after, on a busy machine."""


@dataclass(frozen=True)
class Kill:
    """`codes`: how the command may end; `words` say so. A run that was disturbed must not end with 0 unless
    every call that the server read is in the account, valid."""

    who: str
    signal: Signals
    when: str
    codes: frozenset[int]
    words: str


def expected(who: str, number: Signals, when: str) -> tuple[frozenset[int], str]:
    """By what the signal does: it stops for a while, it asks for an end, or it kills."""
    if number is STOP:
        return frozenset({0, 4}), "goes on; 0, or 4 where it disturbed the measurement"
    if who == SERVER:
        # Where it had not begun: no server, 2.
        codes = {1, 2, 4} if when == STARTING else {1, 4}
        return frozenset(codes), "not 0: its calls failed"
    if number is KILL and who == LAUNCHER:
        return frozenset({-KILL}), "the generator ends too"
    if number is KILL:
        return frozenset({1, 2, 4, 128 + KILL}), "not 0: calls were lost"
    if when == STARTING:
        return frozenset({0, 1, 4, 130, 143, -TERM, -INT}), "ends; counts what was sent"
    return frozenset({0, 4, 130, 143}), "ends early; counts what was sent"


KILLS = tuple(
    Kill(who, number, when, *expected(who, number, when))
    for who in (SERVER, GENERATOR, WORKER, LAUNCHER)
    for number in (STOP, KILL, TERM, INT)
    for when in (STARTING, RUNNING, DRAINING)
)


@dataclass(frozen=True)
class Ended:
    """How a run ended, what it counted (None: it wrote no summary), and the calls in the server's log."""

    code: int
    err: str
    left: int
    """Processes of the run that still ran ten seconds later."""
    summary: dict[str, Any] | None
    log: int | None
    """None: the log was lost with the server."""

    def faults(self, kill: Kill) -> list[str]:
        """Where it is not what it must be."""
        checks = {
            f"exit {self.code}": self.code in kill.codes,
            # Python prints one where SIGINT meets an import, before anything was sent.
            "a traceback": "Traceback" not in self.err or (self.log == 0 and self.summary is None),
            f"{self.left} processes left": not self.left,
        }
        if self.summary is not None:
            account = self.summary["accounting"]
            calls = self.summary["calls"] + self.summary["warm_up"]["calls"]
            checks["the account does not add up"] = account["adds_up"]
            if self.log is not None:
                checks[f"{calls} calls counted, {self.log} in the log"] = calls <= self.log and (
                    calls == self.log or self.code != 0
                )
            checks["exit 0 with calls that are not valid"] = (
                self.code != 0 or self.summary["valid"] == self.summary["calls"] > 0
            )
        return [fault for fault, fine in checks.items() if not fine]


class RunWasOver(Exception):
    """The run ended before its moment came: nothing was shown."""


def suffer(kill: Kill) -> Ended:
    """Run against a fake server, send the signal, and look at what is left."""
    service_s = DRAINED_SERVICE_S if kill.when == DRAINING else SERVICE_S
    server = ScoringServer(Behaviour(service=Constant(service_s)), Place())
    with tempfile.TemporaryDirectory() as folder:
        with _running(kill, server, Path(folder)) as (launcher, err_file):
            _wait_for(kill, server, launcher)
            family = _family(launcher.pid)
            _send(_victim(kill, server, launcher, family), kill.signal)
            family = list({*family, *_family(launcher.pid)})
            code = launcher.wait(timeout=ENDS_WITHIN_S)
            _, alive = psutil.wait_procs(family, timeout=GONE_WITHIN_S)
            err = err_file.read_text()
        return Ended(code, err, len(alive), _summary(Path(folder)), _log_of(server))


def _log_of(server: ScoringServer) -> int | None:
    """How many calls the server read; None where its log was lost with it."""
    try:
        server.stop()
    except (RuntimeError, OSError):
        return None
    return server.calls


@contextmanager
def _running(kill: Kill, server: ScoringServer, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    processes = ["--processes", "2"] if kill.who == WORKER else []
    run_time = "2s" if kill.when == DRAINING else f"{RUN_TIME_S:g}s"
    words = [
        "run",
        server.url,
        "--users",
        "2",
        "--run-time",
        run_time,
        "--quiet",
        "--drain",
        "10",
        *processes,
    ]
    err = folder / "err.txt"
    with err.open("w") as err_file:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "scorebench", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err_file,
            text=True,
        )
        family: list[psutil.Process] = []
        try:
            family = _family(launcher.pid)
            yield launcher, err
        finally:
            for process in (*family, *_family(launcher.pid)):
                with suppress(psutil.Error):
                    process.kill()
            launcher.wait()


def _wait_for(kill: Kill, server: ScoringServer, launcher: subprocess.Popen[str]) -> None:
    """Until the moment has come."""
    wanted = 2 if kill.who == WORKER else 0
    end_s = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < end_s and launcher.poll() is None:
        children = len(_family(launcher.pid)) - 1
        if kill.when == STARTING and children >= 1 + wanted:
            return
        if kill.when != STARTING and server.calls >= 2:
            break
        time.sleep(0.02)
    # The last calls are awaited from 2 s after the first until the answers of 3 s to the first come: two
    # calls began at 0 s, so their answers come at 3 s.
    time.sleep(2.4 if kill.when == DRAINING else 0.7)


def _family(pid: int) -> list[psutil.Process]:
    try:
        launcher = psutil.Process(pid)
        return [launcher, *launcher.children(recursive=True)]
    except psutil.Error:
        return []


def _victim(
    kill: Kill, server: ScoringServer, launcher: subprocess.Popen[str], family: list[psutil.Process]
) -> int:
    if kill.who == SERVER:
        return server.pid
    if kill.who == LAUNCHER:
        return launcher.pid
    generator = next((child for child in family[1:] if child.ppid() == launcher.pid), None)
    if generator is None:
        raise RunWasOver(f"{kill.who}, {kill.when}: the run ended before the signal, exit {launcher.poll()}")
    return generator.pid if kill.who == GENERATOR else generator.children()[0].pid


def _send(pid: int, number: Signals) -> None:
    with suppress(psutil.Error):
        victim = psutil.Process(pid)
        victim.send_signal(number)
        if number is STOP:
            time.sleep(STOPPED_S)
            victim.resume()


def _summary(folder: Path) -> dict[str, Any] | None:
    for path in folder.glob("reports/*/summary.json"):
        if not path.parent.is_symlink():
            found: dict[str, Any] = json.loads(path.read_text())
            return found
    return None
