"""A sweep over users and workers → how many workers a rate needs within a limit. Pure: no file, no wording.

Each worker is taken for one server that works on one call at a time, as Python's lock has it: it carries
X(w) / w, what w workers carried divided by w. How that falls with more workers is Amdahl's law (the Universal
Scalability Law without coherency), from two numbers of workers or more. A percentile of the response time is
taken to be that of the wait plus that of a call alone, which is more than that of their sum as a rule.

Two ways to share calls bound the answer: a queue of their own for each worker (M/M/1, as connections that
stay open are dealt) takes more workers than one queue for all (M/M/c).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.plans.queues import waiting_s

if TYPE_CHECKING:
    from scorebench.sweeps.found import Ran, Sweep, SweepCell

MOST_WORKERS = 1_000
VARIED = {"users", "workers"}


class LimitedBy(StrEnum):
    """What would break with one worker fewer; CPU where the machine that was measured has too few cores."""

    THROUGHPUT = "throughput"
    QUEUE = "queue"
    CPU = "CPU"


@dataclass(frozen=True)
class Carried:
    """What `workers` carried at most: the median of the runs of the best cell, and its least and greatest."""

    workers: int
    per_s: float
    low_per_s: float
    high_per_s: float
    cpu: float | None
    rss_bytes: float | None


@dataclass(frozen=True)
class Plan:
    """How many workers; None where no number of them is enough, or where there is no upper bound."""

    rate_per_s: float
    workers: int | None
    low: int | None
    high: int | None
    limited_by: LimitedBy | None
    alone_s: float
    """The percentile of the limit of a call alone, or of one above it."""
    expected_s: float | None
    """The same percentile of the response time with that many workers."""
    contention: float | None
    """Amdahl's; None where one number of workers was measured."""
    carried: tuple[Carried, ...]
    within_s: float
    cores: int | None
    """Of the machine that was measured; None where the server was on another one, which tells nobody."""
    is_counted: bool
    """Whether the sweep knows how many workers it measured; else the whole server counts as one."""

    @property
    def cpu(self) -> float | None:
        """Cores that this rate takes, at the CPU a call that was measured."""
        last = self.carried[0]
        return None if last.cpu is None else self.rate_per_s * last.cpu / last.per_s

    @property
    def rss_bytes(self) -> float | None:
        """Memory of that many workers, at the memory a worker that was measured."""
        last = self.carried[-1]
        if last.rss_bytes is None or self.workers is None:
            return None
        return last.rss_bytes / last.workers * self.workers


def plan(sweep: Sweep, rate_per_s: float, q: float, within_s: float) -> Plan:
    """Workers for `rate_per_s` with the `q` percentile of the response time below `within_s`.

    InputError where the sweep varies anything else, or has no cell of one user.
    """
    if others := set(sweep.varied()) - VARIED:
        raise InputError(
            f"{sweep.folder}: varies {', '.join(sorted(others))}; a plan needs a sweep over users and "
            "workers alone"
        )
    carried = _carried(sweep)
    alone_s = _alone_s(sweep, q)
    contention = _contention(carried)
    need = _Need(rate_per_s, q, within_s, alone_s)
    first = carried[0]
    middle = need.workers(first.per_s / first.workers, contention or 0.0, is_shared=False)
    low = need.workers(first.high_per_s / first.workers, 0.0, is_shared=True)
    worst = _worst_contention(carried)
    high = None if worst is None else need.workers(first.low_per_s / first.workers, worst, is_shared=False)
    each = first.per_s / first.workers
    made = Plan(
        rate_per_s=rate_per_s,
        workers=middle,
        low=low,
        high=high,
        limited_by=None if middle is None else need.limit_at(middle, each, contention or 0.0),
        alone_s=alone_s,
        expected_s=None
        if middle is None
        else need.response_s(middle, each, contention or 0.0, is_shared=False),
        contention=contention,
        carried=carried,
        within_s=within_s,
        cores=_cores(sweep),
        is_counted=all(cell.place.workers is not None for cell in sweep.cells),
    )
    if middle is not None and made.cpu is not None and made.cores is not None and made.cpu > made.cores:
        return replace(made, limited_by=LimitedBy.CPU)
    return made


def _cores(sweep: Sweep) -> int | None:
    """`shared_cores` is None where the server ran elsewhere."""
    cores = sweep.environment.get("host_cores")
    is_here = sweep.environment.get("shared_cores") is not None
    return cores if is_here and isinstance(cores, int) and not isinstance(cores, bool) else None


@dataclass(frozen=True)
class _Need:
    rate_per_s: float
    q: float
    within_s: float
    alone_s: float

    def workers(self, each_per_s: float, contention: float, *, is_shared: bool) -> int | None:
        """The fewest that keep the limit; None where none do."""
        return next(
            (
                count
                for count in range(1, MOST_WORKERS + 1)
                if self.response_s(count, each_per_s, contention, is_shared=is_shared) < self.within_s
            ),
            None,
        )

    def response_s(self, workers: int, each_per_s: float, contention: float, *, is_shared: bool) -> float:
        one_per_s = each_per_s / (1 + contention * (workers - 1))
        if is_shared:
            return self.alone_s + waiting_s(workers, self.rate_per_s, one_per_s, self.q)
        return self.alone_s + waiting_s(1, self.rate_per_s / workers, one_per_s, self.q)

    def limit_at(self, workers: int, each_per_s: float, contention: float) -> LimitedBy:
        fewer = workers - 1
        total_per_s = fewer * each_per_s / (1 + contention * max(fewer - 1, 0))
        return LimitedBy.THROUGHPUT if total_per_s <= self.rate_per_s else LimitedBy.QUEUE


def _carried(sweep: Sweep) -> tuple[Carried, ...]:
    by_workers: dict[int, list[SweepCell]] = {}
    for cell in sweep.cells:
        if cell.middle(_rate):
            by_workers.setdefault(cell.place.workers or 1, []).append(cell)
    if not by_workers:
        raise InputError(f"{sweep.folder}: no cell has valid runs; a plan needs some")
    return tuple(_best(workers, cells) for workers, cells in sorted(by_workers.items()))


def _best(workers: int, cells: list[SweepCell]) -> Carried:
    best = max(cells, key=lambda cell: cell.middle(_rate) or 0.0)
    values = best.values(_rate)
    return Carried(
        workers,
        best.middle(_rate) or 0.0,
        min(values),
        max(values),
        best.middle(lambda run: run.server_cpu),
        best.middle(lambda run: run.server_rss_bytes),
    )


def _rate(run: Ran) -> float | None:
    return run.throughput_per_s


def _alone_s(sweep: Sweep, q: float) -> float:
    """The slowest p99 of a call alone; the mean of exponential times where too few calls support a p99."""
    alone = [cell for cell in sweep.cells if cell.place.users == 1 and cell.good]
    if not alone:
        raise InputError(f"{sweep.folder}: has no valid cell with one user; a plan needs --users 1,…")
    figure = (lambda run: run.p50_s) if q <= 0.5 else (lambda run: run.p99_s)
    known = [value for cell in alone for value in cell.values(figure)]
    if not known:
        raise InputError(
            f"{sweep.folder}: too few calls by one user for a p99 of a call alone; sweep with a longer "
            "--run-time"
        )
    return max(known)


def _contention(carried: tuple[Carried, ...]) -> float | None:
    """Amdahl's, by the least and the most workers: X(w) = w X(1) / (1 + a(w - 1)), relative to the least."""
    if len(carried) < 2:
        return None
    first, last = carried[0], carried[-1]
    return _amdahl(first.per_s, last.per_s, first.workers, last.workers)


def _worst_contention(carried: tuple[Carried, ...]) -> float | None:
    if len(carried) < 2:
        return None
    first, last = carried[0], carried[-1]
    return _amdahl(first.high_per_s, last.low_per_s, first.workers, last.workers)


def _amdahl(first_per_s: float, last_per_s: float, first: int, last: int) -> float:
    """Solves X(last) / X(first) = last (1 + a(first - 1)) / (first (1 + a(last - 1))) for a, 0 or more."""
    ratio = last_per_s / first_per_s * first / last
    below = ratio * (last - 1) - (first - 1)
    return max((1 - ratio) / below, 0.0) if below > 0 else 1.0
