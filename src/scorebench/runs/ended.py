"""What is left of a run whose process has ended: its folder, its workers. Knows processes by their group."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from scorebench.folders.names import JOURNAL, RECORDING

WORKERS_S = 15.0
"""How long workers of a killed master may take to write down what they sent."""


def tidy(folder: Path, code: int) -> None:
    """Remove the folder of a run that left nothing; say what is left of one that was killed."""
    if (code == 2 or code > 128) and not (folder / RECORDING).exists():
        _say_what_is_left(folder, code)
    with suppress(OSError):
        folder.rmdir()  # a run that could not begin left it empty


def _say_what_is_left(folder: Path, code: int) -> None:
    """Nothing of a run that was refused, which has said why; of one that was killed, what it wrote down."""
    ended = f"killed by signal {code - 128}" if code > 128 else "ended without a report"
    if list(folder.glob(f"worker-*/{RECORDING}")):
        _say(f"the run was {ended}; what its workers counted until then: scorebench merge {folder}/worker-*")
        return
    if (folder / JOURNAL).exists():
        _say(f"the run was {ended}; what it counted until then: scorebench report {folder}")
        return
    shutil.rmtree(folder, ignore_errors=True)
    if code > 128:
        _say(f"the run was {ended} before anything was written down: nothing is left of it")


def _say(line: str) -> None:
    print(f"scorebench: {line}", file=sys.stderr, flush=True)


def end_workers(group: int, *, was_killed: bool) -> None:
    """End what is left of the run's processes, which would wait for a master that is gone.

    Workers of a master that `was_killed` are given the time to write down what they sent.
    """
    until_s = time.monotonic() + (WORKERS_S if was_killed else 0.0)
    while time.monotonic() < until_s and _any_runs_in(group):
        time.sleep(0.1)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _any_runs_in(group: int) -> bool:
    import psutil

    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False
