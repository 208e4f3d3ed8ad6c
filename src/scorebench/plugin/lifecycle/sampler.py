"""CPU and memory of the generator, and how late it is, once a second from the first.

Knows psutil; nothing of calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from time import perf_counter

import gevent
import psutil

from scorebench.recordings.types import Sample

WHO = "generator"
PERIOD_S = 1.0
BEAT_S = 0.01
"""How often the generator's own loop is asked whether it is late."""


def sample_regularly(
    sink: Callable[[Sample], None], running: Callable[[], bool], users: Callable[[], int]
) -> None:
    """Give `sink` a sample a second while `running`; for a greenlet of its own. 1.0 of `cpu` is one core.

    `users` are those of this process.
    """
    process = psutil.Process()
    _cpu(process)  # the first reading has nothing to compare with
    while running():
        late_s, stall_s = _lateness()
        sink(
            {
                "t_s": time.time(),
                "who": WHO,
                "cpu": _cpu(process),
                "rss_bytes": _rss(process),
                "late_s": late_s,
                "stall_s": stall_s,
                "users": users(),
            }
        )


def _lateness() -> tuple[float, float]:
    """How long an answer that comes in the next second waits for this process: on average, and at most.

    While the loop is kept for b seconds, what comes waits b / 2 on average: the sum of b² / 2 over the time.
    Its CPU does not tell: on a machine that others use a process starves with half a core. A process that is
    stopped for five seconds makes a sample of six, whose worst stretch is five.
    """
    began = before = perf_counter()
    waited = worst = 0.0
    while before - began < PERIOD_S:
        gevent.sleep(BEAT_S)
        now = perf_counter()
        kept = max(now - before - BEAT_S, 0.0)
        waited += kept**2 / 2
        worst = max(worst, kept)
        before = now
    return waited / (before - began), worst


def _cpu(process: psutil.Process) -> float | None:
    try:
        return process.cpu_percent() / 100
    except (psutil.Error, OSError):  # of its own too: too many open files, for instance
        return None


def _rss(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except (psutil.Error, OSError):  # of its own too: too many open files, for instance
        return None
