"""What a sweep measured → how many workers a rate needs within a limit. Pure: no file, no wording.

A response time is the wait in a queue and a call of its own after it, each with its distribution: a
percentile of their sum is less than the sum of their percentiles. Which queue it is, nobody knows, so three
of them bound the answer: see `response`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from scorebench.plans.measured import Carried, Measured
from scorebench.plans.queues import exponential_queue_s, own_queue_s, shared_queue_s, taking_turns_s

MOST_WORKERS = 1_000


class LimitedBy(StrEnum):
    """What would break with one worker fewer; CPU where the machine that was measured has too few cores."""

    THROUGHPUT = "throughput"
    QUEUE = "queue"
    CPU = "CPU"


@dataclass(frozen=True)
class Response:
    """A percentile of the response time in seconds, and its bounds; infinite where the queue grows."""

    s: float
    low_s: float
    high_s: float


@dataclass(frozen=True)
class Plan:
    """How many workers; None where no number of them is enough, or where there is no upper bound."""

    rate_per_s: float
    workers: int | None
    low: int | None
    high: int | None
    limited_by: LimitedBy | None
    alone_s: float
    """The percentile of the limit of a call alone."""
    expected: Response | None
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
        """Cores that this rate takes, at the CPU that a call took with the fewest workers."""
        first = self.carried[0]
        return None if first.cpu is None else self.rate_per_s * first.cpu / first.per_s

    @property
    def rss_bytes(self) -> float | None:
        """Memory of that many workers, at the memory that each of the most workers took."""
        last = self.carried[-1]
        if last.rss_bytes is None or self.workers is None:
            return None
        return last.rss_bytes / last.workers * self.workers


def response(measured: Measured, rate_per_s: float, workers: int, q: float) -> Response:
    """The `q` percentile of the response time of `workers` workers at `rate_per_s`.

    Expected is a queue of its own for each worker, as connections that stay open are dealt, with lengths as
    they were measured (M/G/1). The lower bound takes one queue for all workers, where that is shorter, and
    the best runs; the upper one exponential lengths (M/M/1) or calls that take turns, where that is longer,
    and the worst runs.
    """
    return Response(
        _expected_s(measured, rate_per_s, q, workers),
        _low_s(measured, rate_per_s, q, workers),
        _high_s(measured, rate_per_s, q, workers),
    )


def _expected_s(measured: Measured, rate_per_s: float, q: float, workers: int) -> float:
    one = measured.expected(rate_per_s, workers)
    return own_queue_s(rate_per_s / workers, one.busy, one.alone, q)


def _low_s(measured: Measured, rate_per_s: float, q: float, workers: int) -> float:
    one = measured.best(rate_per_s, workers, q)
    return min(
        shared_queue_s(workers, rate_per_s, one.busy, one.alone, q),
        own_queue_s(rate_per_s / workers, one.busy, one.alone, q),
    )


def _high_s(measured: Measured, rate_per_s: float, q: float, workers: int) -> float:
    one = measured.worst(rate_per_s, workers, q)
    return max(
        exponential_queue_s(rate_per_s / workers, one.busy.mean_s, one.alone, q),
        own_queue_s(rate_per_s / workers, one.busy, one.alone, q),
        taking_turns_s(rate_per_s / workers, one.busy, one.alone, q),
    )


def plan(measured: Measured, rate_per_s: float, q: float, within_s: float) -> Plan:
    """Workers for `rate_per_s` with the `q` percentile of the response time below `within_s`."""

    def fewest(of: Callable[[Measured, float, float, int], float]) -> int | None:
        response_s = partial(of, measured, rate_per_s, q)
        return next((count for count in range(1, MOST_WORKERS + 1) if response_s(count) < within_s), None)

    workers = fewest(_expected_s)
    made = Plan(
        rate_per_s=rate_per_s,
        workers=workers,
        low=fewest(_low_s),
        high=None if measured.worst_contention is None else fewest(_high_s),
        limited_by=None if workers is None else _limit_at(measured, rate_per_s, workers),
        alone_s=measured.alone_s(workers or 1, q),
        expected=None if workers is None else response(measured, rate_per_s, workers, q),
        contention=measured.contention,
        carried=measured.carried,
        within_s=within_s,
        cores=measured.cores,
        is_counted=measured.is_counted,
    )
    if made.cpu is not None and made.cores is not None and workers is not None and made.cpu > made.cores:
        return replace(made, limited_by=LimitedBy.CPU)
    return made


def _limit_at(measured: Measured, rate_per_s: float, workers: int) -> LimitedBy:
    fewer = workers - 1
    is_too_much = not fewer or rate_per_s * measured.expected(rate_per_s, fewer).busy.mean_s >= fewer
    return LimitedBy.THROUGHPUT if is_too_much else LimitedBy.QUEUE
