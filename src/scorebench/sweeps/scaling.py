"""Throughput at several loads → the Universal Scalability Law, with bounds. Pure statistics.

X(N) = gN / (1 + a(N-1) + bN(N-1)): N.J. Gunther, Guerrilla Capacity Planning (2007), chapters 4 to 6.
g: throughput of one; a: contention, what is done one after another; b: coherency, what every pair costs.
y = N/X is linear in its coefficients: gy = 1 + a(N-1) + bN(N-1). So least squares find the one best fit, and
Student's t gives bounds. Relative errors of X are taken to be alike, hence the weights 1/y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST_LOADS = 4
"""Different N: three coefficients, and one to see whether they fit."""
FEWEST_POINTS = 5
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Bounded:
    """A value, and where the true one lies with 95 % certainty; `high` may be infinite."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scaling:
    """The law through the points."""

    per_one: Bounded
    """g, a second."""
    contention: Bounded
    """a: 0 is none, 1 is one at a time."""
    coherency: Bounded
    """b."""
    peak: Bounded | None
    """The N with the most throughput; None where throughput is not shown to fall again."""
    loads: int
    """Different N that were measured."""
    _coefficients: tuple[float, float, float]
    _covariance: tuple[tuple[float, ...], ...]
    _t: float

    def at(self, load: float) -> Bounded:
        """Throughput at `load`: of the law, with bounds for the mean of runs there."""
        terms = np.array(_terms(load))
        y = float(terms @ np.array(self._coefficients))
        variance = float(terms @ np.array(self._covariance) @ terms)
        off = self._t * math.sqrt(max(variance, 0.0))
        high = load / (y - off) if y > off else math.inf
        return Bounded(load / y, load / (y + off), high)


def _terms(load: float) -> tuple[float, float, float]:
    return 1.0, load - 1, load * (load - 1)


def are_enough(points: Sequence[tuple[float, float]]) -> bool:
    """Whether (N, throughput a second) are enough points for a law."""
    known = _known(points)
    return len({load for load, _ in known}) >= FEWEST_LOADS and len(known) >= FEWEST_POINTS


def _known(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(load, rate) for load, rate in points if load > 0 and rate > 0]


def fit(points: Sequence[tuple[float, float]]) -> Scaling | None:
    """The law through (N, throughput a second); None where the points are not enough.

    None too where one user's call would take no time (1/g = 0): no law for a server that gets much faster.
    """
    if not are_enough(points):
        return None
    known = _known(points)
    from scipy.optimize import nnls
    from scipy.stats import t

    terms = np.array([_terms(load) for load, _ in known])
    y = np.array([load / rate for load, rate in known])
    weight = 1 / y
    coefficients: Any = np.zeros(3)
    for _ in range(3):  # weights by the fit, and no longer by the noisy points
        coefficients = nnls(terms * weight[:, None], y * weight)[0]
        if coefficients[0] <= 0:
            return None
        weight = 1 / (terms @ coefficients)
    residuals = (y - terms @ coefficients) * weight
    free = len(known) - 3
    spread = math.sqrt(float(residuals @ residuals) / free)
    weighed = terms * weight[:, None]
    covariance = np.linalg.inv(weighed.T @ weighed) * spread**2
    margin = float(t.ppf((1 + CONFIDENCE) / 2, free))
    one = float(coefficients[0])
    off = margin * math.sqrt(max(float(covariance[0, 0]), 0.0))
    contention = _ratio(coefficients, covariance, 1, margin)
    coherency = _ratio(coefficients, covariance, 2, margin)
    return Scaling(
        per_one=Bounded(1 / one, 1 / (one + off), 1 / (one - off) if one > off else math.inf),
        contention=contention,
        coherency=coherency,
        peak=_peak(contention, coherency),
        loads=len({load for load, _ in known}),
        _coefficients=(one, float(coefficients[1]), float(coefficients[2])),
        _covariance=tuple(tuple(map(float, row)) for row in covariance),
        _t=margin,
    )


def _ratio(coefficients: Any, covariance: Any, which: int, margin: float) -> Bounded:
    """A coefficient by the first: its variance by the delta method; none is below 0."""
    one, other = float(coefficients[0]), float(coefficients[which])
    slope = np.zeros(3)
    slope[0], slope[which] = -other / one**2, 1 / one
    off = margin * math.sqrt(max(float(slope @ covariance @ slope), 0.0))
    return Bounded(other / one, max(other / one - off, 0.0), other / one + off)


def _peak(contention: Bounded, coherency: Bounded) -> Bounded | None:
    """sqrt((1-a)/b), Gunther (2007), chapter 4. None where b may be 0: then it may rise for ever."""
    if coherency.low <= 0 or contention.value >= 1:
        return None
    low = math.sqrt(max(1 - contention.high, 0.0) / coherency.high)
    return Bounded(
        max(math.sqrt((1 - contention.value) / coherency.value), 1.0),
        max(low, 1.0),
        max(math.sqrt((1 - contention.low) / coherency.low), 1.0),
    )


def knee(points: Sequence[tuple[float, float, float]]) -> float | None:
    """Of (N, throughput, mean response time) the N with the most power, throughput by response time.

    L. Kleinrock, Power and deterministic rules of thumb for probabilistic problems in computer communications
    (ICC 1979). None where fewer than three loads were measured, or none above that N: it may lie beyond.
    """
    known = [(rate / time_s, -load) for load, rate, time_s in points if rate > 0 and time_s > 0]
    loads = {-load for _, load in known}
    if len(loads) < 3:
        return None
    found = -max(known)[1]
    return None if found == max(loads) else found


@dataclass(frozen=True)
class Costs:
    """What a call costs at all, and what each row adds, in seconds: the line through times by rows."""

    per_call_s: Bounded
    per_row_s: Bounded
    calls: int
    """Points that it goes through."""


def costs(points: Sequence[tuple[float, float]]) -> Costs | None:
    """The line through (rows a call, seconds), weighted as above; None below three numbers of rows."""
    known = [(rows, time_s) for rows, time_s in points if rows > 0 and time_s > 0]
    if len({rows for rows, _ in known}) < 3:
        return None
    from scipy.optimize import nnls
    from scipy.stats import t

    terms = np.array([(1.0, rows) for rows, _ in known])
    times = np.array([time_s for _, time_s in known])
    weighed = terms / times[:, None]
    coefficients = nnls(weighed, np.ones(len(known)))[0]
    residuals = 1 - weighed @ coefficients
    free = len(known) - 2
    covariance = np.linalg.inv(weighed.T @ weighed) * float(residuals @ residuals) / free
    margin = float(t.ppf((1 + CONFIDENCE) / 2, free))
    call, row = (
        Bounded(float(value), max(float(value - off), 0.0), float(value + off))
        for value, off in zip(coefficients, margin * np.sqrt(np.diag(covariance)), strict=True)
    )
    return Costs(call, row, len(known))
