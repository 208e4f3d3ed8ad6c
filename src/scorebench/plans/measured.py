"""A sweep over users and workers → what workers carry, and how long calls take. Pure: no file, no wording.

Each worker is taken for one server that works on one call at a time, as Python's lock has it: it carries
X(w) / w, what w workers carried divided by w. How that falls with more workers is Amdahl's law (the Universal
Scalability Law without coherency), from two numbers of workers or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.figures.percentiles import calls_needed
from scorebench.plans.lengths import Lengths

if TYPE_CHECKING:
    from scorebench.sweeps.found import Ran, Sweep, SweepCell

VARIED = {"users", "workers"}
LEAST_PER_S, MOST_PER_S = 1e-6, 1e9


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
class Alone:
    """Calls that nobody waits beside: a run of one user, of the server with `workers`, or several."""

    workers: int
    runs: tuple[Lengths, ...]


@dataclass(frozen=True)
class Worker:
    """One of `workers` workers, as a queue sees it."""

    busy: Lengths
    """How long a call keeps it from the next one."""
    alone: Lengths
    """How long a call takes that does not wait, which may be longer: the network keeps no worker busy."""


@dataclass(frozen=True)
class Measured:
    """What a plan takes from a sweep; `carried` and `alone` ascend by workers, at least one of each."""

    carried: tuple[Carried, ...]
    alone: tuple[Alone, ...]
    cores: int | None
    """Of the machine that was measured; None where the server was on another one, which tells nobody."""
    is_counted: bool
    """Whether the sweep knows how many workers it measured; else the whole server counts as one."""

    @property
    def contention(self) -> float | None:
        """Amdahl's; None where one number of workers was measured."""
        return self._contention(lambda first: first.per_s, lambda last: last.per_s)

    @property
    def worst_contention(self) -> float | None:
        """The most that the runs allow."""
        return self._contention(lambda first: first.high_per_s, lambda last: last.low_per_s)

    def _contention(self, of: Callable[[Carried], float], to: Callable[[Carried], float]) -> float | None:
        if len(self.carried) < 2:
            return None
        first, last = self.carried[0], self.carried[-1]
        return _amdahl(of(first), to(last), first.workers, last.workers)

    def alone_s(self, workers: int, q: float) -> float:
        """The `q` percentile of a call alone, in seconds."""
        return Lengths.together(self._alone(workers)).percentile(q)

    def expected(self, rate_per_s: float, workers: int) -> Worker:
        """The middle of the runs."""
        return self._worker(
            rate_per_s, workers, self.carried[0].per_s, self.contention or 0.0, Lengths.together
        )

    def best(self, rate_per_s: float, workers: int, q: float) -> Worker:
        """The most that a run carried, no contention, and the run with the least `q` percentile alone."""
        return self._worker(rate_per_s, workers, self.carried[0].high_per_s, 0.0, _least(q))

    def worst(self, rate_per_s: float, workers: int, q: float) -> Worker:
        """The least that a run carried, the most contention, and the slowest run alone."""
        contention = self.worst_contention or 0.0
        return self._worker(rate_per_s, workers, self.carried[0].low_per_s, contention, _greatest(q))

    def _worker(
        self,
        rate_per_s: float,
        workers: int,
        carried_per_s: float,
        contention: float,
        of: Callable[[Sequence[Lengths]], Lengths],
    ) -> Worker:
        first = self.carried[0].workers
        one_s = first / carried_per_s / (1 + contention * (first - 1))
        busy_s = _busy_s(one_s, rate_per_s, workers, contention)
        alone = of(self._alone(workers))
        elsewhere_s = max(alone.mean_s - one_s, 0.0)
        return Worker(of(self.alone[0].runs).scaled(busy_s), alone.scaled(elsewhere_s + busy_s))

    def _alone(self, workers: int) -> tuple[Lengths, ...]:
        """Of as many workers, or the next fewer that were measured."""
        fewer = [one for one in self.alone if one.workers <= workers]
        return (fewer or self.alone)[-1 if fewer else 0].runs


def _busy_s(one_s: float, rate_per_s: float, workers: int, contention: float) -> float:
    """How long a call keeps its worker busy, where it takes `one_s` while the other workers are idle.

    Others slow it down while they are busy themselves, a share r of the time: b = b1 (1 + a (w - 1) r), with
    r = rate / w b. At r = 1 that is Amdahl's law for what they carry.
    """
    others = contention * (workers - 1)
    slower = others * one_s * rate_per_s / workers
    return one_s * min(1 + others, 1 / (1 - slower) if slower < 1 else math.inf)


def _least(q: float) -> Callable[[Sequence[Lengths]], Lengths]:
    return lambda runs: min(runs, key=lambda one: one.percentile(q))


def _greatest(q: float) -> Callable[[Sequence[Lengths]], Lengths]:
    return lambda runs: max(runs, key=lambda one: one.percentile(q))


def measured(sweep: Sweep, lengths: Mapping[str, Lengths], q: float) -> Measured:
    """What the cells say, with the `lengths` of the calls of each run of one user, by its folder.

    InputError where the sweep varies anything else than users and workers, or has no cell of one user with
    enough calls for the `q` percentile.
    """
    if others := set(sweep.varied()) - VARIED:
        raise InputError(
            f"{sweep.folder}: varies {', '.join(sorted(others))}; a plan needs a sweep over users and "
            "workers alone"
        )
    return Measured(
        carried=_carried(sweep),
        alone=_alone(sweep, lengths, q),
        cores=_cores(sweep),
        is_counted=all(cell.place.workers is not None for cell in sweep.cells),
    )


def runs_alone(sweep: Sweep) -> dict[int, list[Ran]]:
    """The runs of one user whose figures count, by the number of workers, ascending."""
    found: dict[int, list[Ran]] = {}
    for cell in sorted(sweep.cells, key=_workers):
        if cell.place.users == 1 and cell.good:
            found.setdefault(_workers(cell), []).extend(cell.good)
    return found


def _workers(cell: SweepCell) -> int:
    return cell.place.workers or 1


def _alone(sweep: Sweep, lengths: Mapping[str, Lengths], q: float) -> tuple[Alone, ...]:
    runs = runs_alone(sweep)
    if not runs:
        raise InputError(f"{sweep.folder}: has no valid cell with one user; a plan needs --users 1,…")
    enough = {
        workers: [run for run in of if (run.p50_s if q <= 0.5 else run.p99_s) is not None]
        for workers, of in runs.items()
    }
    found = tuple(
        Alone(workers, tuple(lengths[run.folder] for run in of)) for workers, of in enough.items() if of
    )
    if not found:
        most = max(run.valid for of in runs.values() for run in of)
        raise InputError(
            f"{sweep.folder}: no run of one user has enough calls for a p99 (the most is {most:,}, and it "
            f"takes {calls_needed(0.99):,}); give `sweep` a longer --run-time, `capacity` a longer --budget"
        )
    return found


def _cores(sweep: Sweep) -> int | None:
    """`shared_cores` is None where the server ran elsewhere."""
    cores = sweep.environment.get("host_cores")
    is_here = sweep.environment.get("shared_cores") is not None
    return cores if is_here and isinstance(cores, int) and not isinstance(cores, bool) else None


def _carried(sweep: Sweep) -> tuple[Carried, ...]:
    by_workers: dict[int, list[SweepCell]] = {}
    for cell in sweep.cells:
        if rates := cell.values(_rate):
            _check(sweep, rates)
            by_workers.setdefault(_workers(cell), []).append(cell)
    if not by_workers:
        raise InputError(f"{sweep.folder}: no cell has valid runs; a plan needs some")
    return tuple(_best(workers, cells) for workers, cells in sorted(by_workers.items()))


def _check(sweep: Sweep, rates: list[float]) -> None:
    for rate in rates:
        if not LEAST_PER_S <= rate <= MOST_PER_S:
            raise InputError(
                f"{sweep.folder}: a run carried {rate:g}/s; expected {LEAST_PER_S:g} to {MOST_PER_S:g}, else "
                "its file is damaged"
            )


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


def _amdahl(first_per_s: float, last_per_s: float, first: int, last: int) -> float:
    """Solves X(last) / X(first) = last (1 + a(first - 1)) / (first (1 + a(last - 1))) for a, 0 or more."""
    ratio = last_per_s / first_per_s * first / last
    below = ratio * (last - 1) - (first - 1)
    return max((1 - ratio) / below, 0.0) if below > 0 else 1.0
