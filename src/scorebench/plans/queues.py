"""Waiting in queues, by formula. Pure arithmetic."""

from __future__ import annotations

import math


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


def waiting_s(servers: int, rate_per_s: float, one_per_s: float, q: float) -> float:
    """The `q` percentile of the wait in an M/M/c queue, in seconds; infinite where the queue grows.

    P(wait > t) = C exp(-(c m - l) t): Gross and others, equation 2.42.
    """
    spare_per_s = servers * one_per_s - rate_per_s
    if spare_per_s <= 0:
        return math.inf
    share = erlang_c(servers, rate_per_s / one_per_s)
    return max(math.log(share / (1 - q)), 0.0) / spare_per_s if share > 0 else 0.0
