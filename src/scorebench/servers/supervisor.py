"""Runs one command and stops all of its descendants when told to, or when the parent is gone.

Knows processes; nothing of servers, and is a program of its own:

    python -c RUN PARENT_PID CPUS COMMAND [ARGUMENT ...]

A parent that is killed can't stop what it started, so somebody else has to watch it. CPUS is a list of cores
for the command and all that it starts ("0,1"), or "" for no pinning. Exit status: the command's, 128 + n if
signal n ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

import psutil

PARENT_CHECK_S = 0.5
"""A killed parent is noticed within this time. Twice a second costs the measured machine nothing."""
GRACE_S = 10.0
"""From SIGTERM to SIGKILL. A scoring server needs 0.5 to 2 s, a JVM with Spark up to 4."""

RUN = f"import sys; from {__name__} import main; sys.exit(main(sys.argv[1:]))"
"""The program. (`-m` would load this module twice and warn of it.)"""

_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Run the command until it ends, the parent ends, or a signal asks for it; leave nothing running."""
    parent, cpus, command = int(arguments[0]), arguments[1], arguments[2:]
    _adopt_orphans()
    if cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    wake, stop_asked = _catch_signals()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None and not stop_asked and os.getppid() == parent:
        select.select([wake], [], [], PARENT_CHECK_S)
        _drain(wake)
        _reap(besides=child.pid)
    status = child.poll()
    stop_descendants(psutil.Process(), command=child.pid)
    if status is None:
        status = child.wait()
    return status if status >= 0 else 128 - status


def stop_descendants(root: psutil.Process, command: int, grace_s: float = GRACE_S) -> None:
    """SIGTERM to all descendants of `root`, SIGKILL to those left after `grace_s`; return when none is."""
    deadline = time.monotonic() + grace_s
    _signal(root.children(recursive=True), signal.SIGTERM)
    none_seen = 0
    # Twice: a process whose parent ends while the table is read may be missing from it once.
    while none_seen < 2:
        running = _running(root)
        none_seen = 0 if running else none_seen + 1
        if time.monotonic() > deadline:
            _signal(running, signal.SIGKILL)
        time.sleep(0.05)  # not wait_procs: it would take the command's exit status from Popen
        _reap(besides=command)


def _running(root: psutil.Process) -> list[psutil.Process]:
    return [child for child in root.children(recursive=True) if _is_running(child)]


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _reap(besides: int) -> None:
    """Wait for adopted orphans that have ended. The command's own status is Popen's to take."""
    for child in psutil.Process().children():
        if child.pid != besides and not _is_running(child):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)


def _adopt_orphans() -> None:
    """Make a daemon's grandchildren ours when their parent ends, so that none escapes. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _catch_signals() -> tuple[int, list[int]]:
    """A descriptor that becomes readable with each signal, and the list of those that ask for the end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked.append(received))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader, asked


def _drain(descriptor: int) -> None:
    try:
        os.read(descriptor, 4096)
    except BlockingIOError:
        return
