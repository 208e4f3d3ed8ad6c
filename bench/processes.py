"""Programs: started, pinned to a core, waited for, measured and surely stopped. Knows processes alone."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_S = 30.0  # what a program may take beyond its run, to start and to sum up


class Failed(Exception):
    """A program did not do its work; the message says which one and how it ended."""


@dataclass(frozen=True)
class Ended:
    """What a program printed and used. `cpu_s` and `peak_bytes` (resident) are its own and its children's."""

    stdout: str
    stderr: str
    wall_s: float
    cpu_s: float
    peak_bytes: int


def cores() -> tuple[int, int]:
    """(the generator's core, the server's core): the first and the last that this process may use.

    Raises Failed where there is only one: the two would measure each other.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Failed("this process may use one core only; generator and server need one each")
    return allowed[0], allowed[-1]


@contextmanager
def pinned_to(core: int | None) -> Iterator[None]:
    """What is started inside runs on `core`, with all its threads: a child inherits its parent's cores."""
    allowed = os.sched_getaffinity(0)
    try:
        if core is not None:
            os.sched_setaffinity(0, {core})
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def run(
    command: Sequence[str],
    folder: Path,
    core: int | None = None,
    seconds: float = 0.0,
    codes: Sequence[int] = (0,),
) -> Ended:
    """Run a command in `folder` to its end, for at most `seconds` and 30 more.

    Raises Failed where it does not end in time, or ends with another code than those in `codes`.
    """
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    start_s = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        with pinned_to(core):
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        usage = _wait(process, start_s + seconds + GRACE_S)
    said, complained = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
    name = Path(command[0]).name
    if usage is None:
        raise Failed(f"{name}: still ran {GRACE_S:.0f} s after it should have ended; stopped")
    if process.returncode not in codes:
        raise Failed(f"{name}: ended with {process.returncode}: {(complained or said).strip()[-500:]}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Ended(said, complained, time.monotonic() - start_s, cpu_s, usage.ru_maxrss * 1024)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: asked first, killed after two seconds."""
    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        _signal(member.terminate)
    for member in psutil.wait_procs(family, timeout=2)[1]:
        _signal(member.kill)
    process.wait()


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def _wait(process: subprocess.Popen[bytes], end_s: float) -> resource.struct_rusage | None:
    """What it used once it has ended; None if it had to be stopped."""
    try:
        while time.monotonic() < end_s:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return usage
            time.sleep(0.01)
    except BaseException:  # Ctrl-C as well: nothing that was started here stays
        stop(process)
        raise
    stop(process)
    return None
