"""CPU and memory of the generator, and of the server where it is known, once a second from the first.

Knows psutil; nothing of calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from time import perf_counter

import gevent
import psutil

from scorebench.recordings.types import Sample

PERIOD_S = 1.0
BEAT_S = 0.01
"""How often the generator's own loop is asked whether it is late."""


def sample_regularly(
    sink: Callable[[Sample], None],
    running: Callable[[], bool],
    server_pids: Iterable[int],
    users: Callable[[], int],
) -> None:
    """Give `sink` a sample a second while `running`; for a greenlet of its own. 1.0 of `cpu` is one core.

    `users` are those of this process, and go with the generator's samples.
    """
    processes = {"generator": [psutil.Process()]}
    if servers := _existing(server_pids):
        processes["server"] = servers
    for group in processes.values():
        for process in group:
            _cpu(process)  # the first reading has nothing to compare with
    while running():
        late_s, stall_s = _lateness()
        for who, group in processes.items():
            sample = _sample(who, group)
            if who == "generator":
                sample |= {"late_s": late_s, "stall_s": stall_s, "users": users()}
            sink(sample)


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


def _existing(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        try:
            found.append(psutil.Process(pid))
        except psutil.Error:
            continue
    return found


def _sample(who: str, group: list[psutil.Process]) -> Sample:
    readings = [(_cpu(process), _rss(process)) for process in group]
    known = [(cpu, rss) for cpu, rss in readings if cpu is not None and rss is not None]
    return {
        "t_s": time.time(),
        "who": who,
        "cpu": sum(cpu for cpu, _ in known) if known else None,
        "rss_bytes": sum(rss for _, rss in known) if known else None,
    }


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
