"""What a search for capacity found, and why it ended. Knows trials and limits; not how it is searched."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from scorebench.capacity.trial import Step, Tried
from scorebench.verdicts.limits import Checked, Limit


class Ended(StrEnum):
    """Why a search ended: with an edge between a rate that held and one that failed, or without one."""

    FOUND = "found"
    NOTHING_BROKE = "nothing broke"
    NOTHING_HELD = "nothing held"
    NOT_VALID = "not valid"
    BUDGET = "budget"
    NO_ANSWER = "no answer"
    STOPPED = "stopped"
    SERVER_ENDED = "server ended"


class Stopped(Exception):
    """Raised by a measuring function that can't take another step; `why` is the reason."""

    def __init__(self, why: Ended = Ended.STOPPED) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Capacity:
    """What a search found.

    `held` is the highest rate that held and `sure` the highest that held by its 99 % bounds too; `failed`
    the lowest that did not, `wall` the lowest where the measurement itself was not valid. `floors` are the
    limits on throughput and rows, judged at `held`. `plateau_per_s` is where throughput levelled off when
    no limit broke. `needed_s` is about the budget that a whole search takes, known after the ladder.
    """

    limits: tuple[Limit, ...]
    ended: Ended
    held: Tried | None
    sure: Tried | None
    failed: Tried | None
    wall: Tried | None
    knee: Step | None
    plateau_per_s: float | None
    floors: tuple[Checked, ...]
    steps: tuple[Step, ...]
    budget_s: float
    needed_s: float | None = None

    @property
    def spent_s(self) -> float:
        return sum(step.measured.duration_s for step in self.steps)

    def workers_for(self, rate_per_s: float, workers: int = 1) -> int | None:
        """Workers for `rate_per_s`, if `workers` serve the rate that held and twice as many twice it."""
        return None if self.held is None else math.ceil(workers * rate_per_s / self.held.rate_per_s)
