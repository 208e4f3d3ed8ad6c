"""Simulated servers whose right answers are known: queues by their recursions, and the theory beside them.

Theory: Kleinrock, Queueing Systems I (1975): M/M/1 section 3.2, M/M/k (Erlang C) section 3.5; M/D/1 waiting
time: Erlang (1909), as in Tijms, A First Course in Stochastic Models (2003), section 9.2.1.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class Calls:
    """What a load generator with enough users sees: when each call was due and done, ascending by due."""

    due_s: Floats
    done_s: Floats

    @property
    def response_s(self) -> Floats:
        return np.asarray(self.done_s - self.due_s)


@dataclass(frozen=True)
class Queue:
    """First come, first served, by `servers` servers; `draw` draws service times in seconds."""

    draw: Draw
    servers: int = 1

    def open_loop(self, rate_per_s: float, seconds: float, rng: np.random.Generator) -> Calls:
        """Poisson arrivals; the queue starts empty."""
        due_s = poisson(rate_per_s, seconds, rng)
        service_s = self.draw(rng, len(due_s))
        if self.servers == 1:
            return Calls(due_s, due_s + lindley(due_s, service_s) + service_s)
        free = [0.0] * self.servers
        done_s = np.empty_like(due_s)
        for number, (due, service) in enumerate(zip(due_s.tolist(), service_s.tolist(), strict=True)):
            done_s[number] = done = max(due, free[0]) + service
            heapq.heapreplace(free, done)
        return Calls(due_s, done_s)

    def closed_loop(self, users: int, seconds: float, rng: np.random.Generator) -> Calls:
        """Each user sends its next call when the last is answered, without a pause."""
        free, waiting = [0.0] * self.servers, [0.0] * users
        calls: list[tuple[float, float]] = []
        while waiting[0] < seconds:
            for service in self.draw(rng, 256).tolist():
                due = waiting[0]
                done = max(due, free[0]) + service
                heapq.heapreplace(free, done)
                heapq.heapreplace(waiting, done)
                calls.append((due, done))
        answered = np.array([call for call in calls if call[1] <= seconds]).reshape(-1, 2)
        return Calls(answered[:, 0], answered[:, 1])


def exponential(rate_per_s: float) -> Draw:
    return lambda rng, count: rng.exponential(1 / rate_per_s, count)


def constant(rate_per_s: float) -> Draw:
    return lambda _, count: np.full(count, 1 / rate_per_s)


def poisson(rate_per_s: float, seconds: float, rng: np.random.Generator) -> Floats:
    """Arrival times within `seconds`: their number is Poisson, their places are uniform."""
    return np.sort(rng.uniform(0, seconds, rng.poisson(rate_per_s * seconds)))


def lindley(due_s: Floats, service_s: Floats) -> Floats:
    """Waiting times at one server: W' = max(0, W + S - A), as a running minimum (Lindley, 1952)."""
    if not len(due_s):
        return np.zeros(0)
    walk = np.concatenate([[0.0], np.cumsum(service_s[:-1] - np.diff(due_s))])
    return np.asarray(walk - np.minimum.accumulate(walk))


def turns(due_s: Floats, service_s: Floats) -> Floats:
    """Response times at one server that all calls in it share alike (processor sharing).

    By virtual time, what each call in the server has had: a call leaves once that has grown by its service.
    """
    inside: list[tuple[float, int]] = []
    response_s = np.empty_like(due_s)
    now, had = 0.0, 0.0
    for number, due in enumerate([*due_s.tolist(), math.inf]):
        while inside and now + (inside[0][0] - had) * len(inside) <= due:
            until, who = inside[0]
            now, had = now + (until - had) * len(inside), until
            heapq.heappop(inside)
            response_s[who] = now - due_s[who]
        if due < math.inf:
            had += (due - now) / len(inside) if inside else 0.0
            now = due
            heapq.heappush(inside, (had + float(service_s[number]), number))
    return response_s


def mm1_percentile(rate: float, service_rate: float, q: float) -> float:
    """Response time: exponential with rate μ - λ."""
    return -math.log(1 - q) / (service_rate - rate)


def mm1_capacity(service_rate: float, q: float, limit_s: float) -> float:
    """The rate at which that percentile reaches the limit: λ = μ + ln(1 - q) / limit."""
    return service_rate + math.log(1 - q) / limit_s


def md1_mean(rate: float, service_rate: float) -> float:
    """Pollaczek-Khinchine with a variance of 0: 1/μ + load / (2 μ (1 - load))."""
    load = rate / service_rate
    return 1 / service_rate + load / (2 * service_rate * (1 - load))


def md1_within(rate: float, service_rate: float, limit_s: float) -> float:
    """P(response ≤ limit) at one server with constant service time D, by Erlang's sum over j ≤ t/D."""
    wait_s, service_s = limit_s - 1 / service_rate, 1 / service_rate
    if wait_s < 0:
        return 0.0
    terms = []
    for j in range(math.floor(wait_s / service_s + 1e-9) + 1):
        x = rate * (wait_s - j * service_s)
        terms.append((-x) ** j / math.factorial(j) * math.exp(x))
    return (1 - rate * service_s) * math.fsum(terms)


def erlang_c(rate: float, service_rate: float, servers: int) -> float:
    """The share of calls that have to wait."""
    offered = rate / service_rate
    blocked = 1.0
    for n in range(1, servers + 1):  # Erlang B by its recursion
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mmk_within(rate: float, service_rate: float, servers: int, limit_s: float) -> float:
    """P(response ≤ limit): service alone, or for Erlang C's share with an exponential wait (kμ - λ)."""
    waits, drain = erlang_c(rate, service_rate, servers), servers * service_rate - rate
    alone = math.exp(-service_rate * limit_s)
    both = (drain * alone - service_rate * math.exp(-drain * limit_s)) / (drain - service_rate)
    return 1 - (1 - waits) * alone - waits * both


def crossing(within: Callable[[float], float], q: float, highest: float) -> float:
    """The rate below `highest` at which the share within the limit falls to q."""
    low, high = 0.0, highest
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) >= q else (low, middle)
    return low
