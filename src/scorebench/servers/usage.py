"""CPU, memory and threads of a server's processes, or of its container, now. Knows psutil; no load.

Asked by the process that started the server, once a second: the generator's own has users to wake.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from scorebench.recordings.types import Sample


WHO = "server"
MOST_PROCESSES = 16
"""Of one server, that have samples of their own: those with the most memory. `server` is all of them."""


class ProcessUsage:
    """The usage of processes since it was last asked. A process that has ended is left out."""

    def __init__(self) -> None:
        self._processes: dict[int, psutil.Process] = {}

    def of(self, pids: Iterable[int]) -> list[Sample]:
        """A sample of all together, and where they are several of each. Empty where none can be read."""
        self._processes = {pid: one for pid in pids if (one := self._known(pid)) is not None}
        found = [
            (pid, sample) for pid, one in self._processes.items() if (sample := _sample(one)) is not None
        ]
        if not found:
            return []
        largest = sorted(found, key=lambda item: -(item[1]["rss_bytes"] or 0))[:MOST_PROCESSES]
        each: list[Sample] = [{**sample, "who": f"{WHO} process {pid}"} for pid, sample in largest]
        return [_together([sample for _, sample in found]), *(each if len(found) > 1 else [])]

    def _known(self, pid: int) -> psutil.Process | None:
        if pid in self._processes:
            return self._processes[pid]
        try:
            process = psutil.Process(pid)
            process.cpu_percent()  # the first reading has nothing to compare with
        except (psutil.Error, OSError):
            return None
        return process


class ContainerUsage:
    """The usage of a container, from two answers of the engine's statistics, the last one and this."""

    def __init__(self) -> None:
        self._before: tuple[float, int] | None = None

    def of(self, stats: Mapping[str, Any]) -> list[Sample]:
        """One sample. What the engine doesn't tell is None; a container that has stopped tells nothing."""
        now_s = time.monotonic()
        used_ns = _number(stats, "cpu_stats", "cpu_usage", "total_usage")
        memory = _number(stats, "memory_stats", "usage")
        if used_ns is None and memory is None:
            return []
        cached = _number(stats, "memory_stats", "stats", "inactive_file") or 0  # as `docker stats` shows it
        sample: Sample = {
            "t_s": time.time(),
            "who": WHO,
            "cpu": self._cpu(used_ns, now_s),
            "rss_bytes": None if memory is None else max(memory - cached, 0),
        }
        threads = _number(stats, "pids_stats", "current")
        return [sample if threads is None else {**sample, "threads": threads}]

    def _cpu(self, used_ns: int | None, now_s: float) -> float | None:
        before, self._before = self._before, None if used_ns is None else (now_s, used_ns)
        if before is None or used_ns is None or now_s <= before[0]:
            return None
        return max(used_ns - before[1], 0) / 1e9 / (now_s - before[0])


def _sample(process: psutil.Process) -> Sample | None:
    try:
        with process.oneshot():
            return {
                "t_s": time.time(),
                "who": WHO,
                "cpu": process.cpu_percent() / 100,
                "rss_bytes": int(process.memory_info().rss),
                "threads": process.num_threads(),
            }
    except (psutil.Error, OSError):  # of its own too: too many open files, for instance
        return None


def _together(samples: list[Sample]) -> Sample:
    return {
        "t_s": samples[0]["t_s"],
        "who": WHO,
        "cpu": sum(one["cpu"] or 0.0 for one in samples),
        "rss_bytes": sum(one["rss_bytes"] or 0 for one in samples),
        "threads": sum(one["threads"] for one in samples),
    }


def _number(stats: Any, *keys: str) -> int | None:
    """The whole number at the end of `keys`; None where the engine has none there."""
    for key in keys:
        stats = stats.get(key) if isinstance(stats, Mapping) else None
    return stats if isinstance(stats, int) and stats >= 0 else None
