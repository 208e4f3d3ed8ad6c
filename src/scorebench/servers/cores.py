"""Which cores a process may be pinned to. Knows how they are written, and this machine's; pins nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence

from scorebench.errors import InputError

_DIGITS = 4
"""No machine has cores of five; a range of them would only fill the memory."""


def check_cpus(cpus: Sequence[int], option: str = "--cpus") -> None:
    """InputError unless this process may run on each of the cores and the system can pin."""
    if not cpus:
        return
    if not hasattr(os, "sched_getaffinity"):
        raise InputError(
            f"{option} {listed(cpus)}: this system cannot pin processes to cores (Linux can); leave it out"
        )
    allowed = _usable_cores()
    if unknown := sorted(set(cpus) - allowed):
        raise InputError(
            f"{option} {listed(cpus)}: no core {listed(unknown)}; here are {listed(sorted(allowed))}"
        )


def parse_cpus(text: str, option: str = "--cpus") -> tuple[int, ...]:
    """`0,2-3` as (0, 2, 3); sorted, each once. InputError for anything else."""
    cores: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last) if dash else (first,)
        if not all(end.isdecimal() and len(end) <= _DIGITS for end in ends):
            raise InputError(f"{option} {text[:40]}: expected cores such as 0,1 or 0-1")
        cores.update(range(int(first), int(ends[-1]) + 1))
    return tuple(sorted(cores))


def listed(cpus: Sequence[int]) -> str:
    """`0,2,3`."""
    return ",".join(map(str, cpus))


def _usable_cores() -> set[int]:
    """All that this process could be on: one that is pinned itself may start others elsewhere."""
    now = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # of this thread, for an instant
        return os.sched_getaffinity(0)
    finally:
        os.sched_setaffinity(0, now)
