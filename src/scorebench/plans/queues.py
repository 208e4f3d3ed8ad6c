"""Response times of queues, by formula: the wait, and the call itself after it. Pure arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scorebench.plans.lengths import Lengths

STEPS = 100
"""Points of the grid in a mean length."""
MOST_POINTS = 2**20
ALIASED = 1e-6
"""What is beyond the grid comes back into it by this factor."""


def erlang_c(servers: int, load: float) -> float:
    """The share of arrivals that wait in an M/M/c queue with `load` = arrival rate / rate of one server.

    A.K. Erlang, 1917; by the recursion of Erlang's B, which does not overflow (Gross and others,
    Fundamentals of Queueing Theory, 4th ed., section 2.3). 1 where the load is more than the servers can do.
    """
    if load >= servers:
        return 1.0
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def shared_queue_s(servers: int, rate_per_s: float, busy: Lengths, alone: Lengths, q: float) -> float:
    """The `q` percentile of the response time in seconds, of one queue for all servers; infinite if it grows.

    A call keeps a server busy for a length of `busy`, and takes one of `alone` after its wait. The wait is
    that of M/M/c, P(W > t) = C exp(-(c m - l) t): Gross and others, equation 2.42. Where lengths vary less
    than exponential ones do, it is shorter by half of 1 + their squared coefficient of variation: A.M. Lee
    and P.A. Longton, Queueing processes associated with airline passenger check-in (1959).
    """
    spare_per_s = servers / busy.mean_s - rate_per_s
    if spare_per_s <= 0:
        return math.inf
    share = erlang_c(servers, rate_per_s * busy.mean_s)
    return _after_exponential_s(share, spare_per_s / min((1 + busy.variation) / 2, 1.0), alone, q)


def exponential_queue_s(rate_per_s: float, busy_s: float, alone: Lengths, q: float) -> float:
    """The same for one server that calls keep busy for exponential lengths of mean `busy_s` (M/M/1)."""
    spare_per_s = 1 / busy_s - rate_per_s
    if spare_per_s <= 0:
        return math.inf
    return _after_exponential_s(rate_per_s * busy_s, spare_per_s, alone, q)


def taking_turns_s(rate_per_s: float, busy: Lengths, alone: Lengths, q: float) -> float:
    """A bound where calls share one server in turns, as threads do: each slows down like the mean.

    On average a call takes 1 / (1 - load) times as long then, whatever its length (L. Kleinrock, Time-shared
    systems: a theoretical treatment, 1967). Few calls take far longer, so the median is below that.
    """
    load = rate_per_s * busy.mean_s
    if load >= 1:
        return math.inf
    return alone.scaled(alone.mean_s - busy.mean_s + busy.mean_s / (1 - load)).percentile(q)


def _after_exponential_s(share: float, decay_per_s: float, alone: Lengths, q: float) -> float:
    """The percentile of wait + call: `share` of the calls wait, exponentially with `decay_per_s`."""

    def over(time_s: float) -> float:
        left_s = time_s - alone.values_s
        waiting = share * np.exp(-decay_per_s * np.maximum(left_s, 0.0))
        return float(np.where(left_s >= 0, waiting, 1.0) @ alone.shares)

    low_s = alone.percentile(q)
    if over(low_s) <= 1 - q:
        return low_s
    high_s = float(alone.values_s[-1]) + max(math.log(share / (1 - q)), 0.0) / decay_per_s
    while high_s - low_s > 1e-4 * low_s:
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (low_s, middle_s) if over(middle_s) <= 1 - q else (middle_s, high_s)
    return high_s


def own_queue_s(rate_per_s: float, busy: Lengths, alone: Lengths, q: float) -> float:
    """The same for one server with lengths of any distribution (M/G/1), first come, first served.

    The wait is a geometric sum of what is left of a call in service (F. Pollaczek, 1930, and A.Y. Khinchine,
    1932; Gross and others, section 5.1.2), here on a grid. Infinite too where it is thousands of calls long.
    """
    if rate_per_s * busy.mean_s >= 1:
        return math.inf
    step_s = min(busy.mean_s, alone.mean_s) / STEPS
    points = 1 << math.ceil(math.log2(alone.percentile(q) / step_s + 16 * STEPS))
    while points <= MOST_POINTS:
        upto = _upto(
            rate_per_s * busy.mean_s, _left_of(busy, step_s, points), _on_grid(alone, step_s, points)
        )
        if upto[-1] >= q:
            return float(np.searchsorted(upto, q)) * step_s
        points *= 4
    return math.inf


def _upto(load: float, left: NDArray[np.float64], call: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of response times up to each point of the grid.

    A Fourier transform takes the grid for a circle. Weights that fall along it keep what goes round it out:
    R. Gruebel and R. Hermesmeier, Computation of compound distributions I, ASTIN Bulletin 29 (1999).
    """
    points = len(left)
    weights = ALIASED ** (np.arange(points) / points)
    wait = (1 - load) / (1 - load * np.fft.rfft(left * weights))
    response = np.fft.irfft(wait * np.fft.rfft(call * weights), points) / weights
    return np.asarray(np.cumsum(response))


def _left_of(busy: Lengths, step_s: float, points: int) -> NDArray[np.float64]:
    """What is left of a call in service: P(L <= t) = E[min(B, t)] / E[B]; a point has what is nearest."""
    ends_s = np.concatenate([[0.0], (np.arange(points) + 0.5) * step_s])
    shorter = np.searchsorted(busy.values_s, ends_s)
    below_s = np.concatenate([[0.0], np.cumsum(busy.values_s * busy.shares)])[shorter]
    above = 1 - np.concatenate([[0.0], np.cumsum(busy.shares)])[shorter]
    return np.asarray(np.diff((below_s + ends_s * above) / busy.mean_s))


def _on_grid(alone: Lengths, step_s: float, points: int) -> NDArray[np.float64]:
    """Each length at the two points beside it, so that the mean stays; none beyond the grid."""
    places = alone.values_s / step_s
    first = places.astype(np.int64)
    second = alone.shares * (places - first)
    found = np.zeros(points)
    for at, shares in ((first, alone.shares - second), (first + 1, second)):
        inside = at < points
        np.add.at(found, at[inside], shares[inside])
    return found
