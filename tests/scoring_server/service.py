"""When an answer is due: service times drawn from a seed, a queue, freezes. Arithmetic; owns no clock."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Draw(Protocol):
    """A distribution of service times."""

    def times_s(self) -> Iterator[float]:
        """Service times in the order in which calls get them; the same for every iterator of one Draw."""
        ...


@dataclass(frozen=True)
class Constant:
    service_s: float = 0.0

    def times_s(self) -> Iterator[float]:
        while True:
            yield self.service_s


NO_TIME = Constant()


@dataclass(frozen=True)
class Exponential:
    mean_s: float
    seed: int = 1

    def times_s(self) -> Iterator[float]:
        random = Random(self.seed)
        while True:
            yield random.expovariate(1 / self.mean_s)


@dataclass(frozen=True)
class TwoHumps:
    """Two normal humps; a call falls into the second with probability `second_share`. Never below zero."""

    first_s: float
    second_s: float
    second_share: float = 0.5
    width: float = 0.05  # a hump's standard deviation, as a part of its mean
    seed: int = 1

    def times_s(self) -> Iterator[float]:
        random = Random(self.seed)
        while True:
            mean_s = self.second_s if random.random() < self.second_share else self.first_s
            yield max(0.0, random.gauss(mean_s, self.width * mean_s))


def after_freezes(start_s: float, work_s: float, freezes: Sequence[tuple[float, float]]) -> float:
    """When `work_s` of work begun at `start_s` is done, if none is done inside a freeze [from, to)."""
    now_s = start_s
    for from_s, to_s in sorted(freezes):
        if to_s <= now_s:
            continue
        worked_s = max(0.0, from_s - now_s)
        if work_s < worked_s:
            break
        work_s -= worked_s
        now_s = to_s
    return now_s + work_s


class Station:
    """Where calls are served: all at once, or `at_once` of them while others wait, first come first served.

    Freezes count from the first call's arrival. A call's end follows from the ends before it and not from
    when the process woke up, so a late timer delays one answer and not the queue.
    """

    def __init__(self, at_once: int | None, freezes: Sequence[tuple[float, float]] = ()) -> None:
        self.free_s = [0.0] * at_once if at_once else []
        self.freezes = freezes
        self.first_s: float | None = None

    def serve(self, arrival_s: float, service_s: float) -> tuple[float, float]:
        """(start, end) of the service of a call; calls come in the order of their arrival."""
        if self.first_s is None:
            self.first_s = arrival_s
        started_s = self.unfrozen(max(arrival_s, self.free_s[0]) if self.free_s else arrival_s)
        end_s = self.unfrozen(started_s, service_s)
        if self.free_s:
            heapq.heapreplace(self.free_s, end_s)
        return started_s, end_s

    def unfrozen(self, start_s: float, work_s: float = 0.0) -> float:
        if not self.freezes or self.first_s is None:
            return start_s + work_s
        return self.first_s + after_freezes(start_s - self.first_s, work_s, self.freezes)
