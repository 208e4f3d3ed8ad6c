"""Pairs of short runs of A and B → which is slower, as soon as the pairs can tell. Pure: no clock, no words.

The pairs are looked at a few times, which are fixed before the first. Each look may err with a share of
ALPHA, and the shares add up to it, so that all looks together err in at most ALPHA of the cases, however they
depend on each other (Bonferroni; the shares grow with the square of the pairs so far, as in Kim and DeMets,
Biometrika 74, 1987). The same holds for the bounds: at whichever look they are read, they hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from scorebench.comparison.alike import Alike
from scorebench.comparison.shift import Shift, paired
from scorebench.figures.metrics import find
from scorebench.verdicts.limits import Threshold

ALPHA = 0.05
"""How often a difference is shown, at most, where there is none."""
LOOKS_AT = (3 / 8, 1 / 2, 2 / 3, 5 / 6, 1.0)
"""Shares of all pairs after which one looks."""
FEWEST_PAIRS = 6
"""With fewer no outcome is as unlikely as ALPHA: 2 of the 2 ** 5 orders of five signs are one-sided."""


@dataclass(frozen=True)
class Look:
    """After so many pairs one looks; `alpha` is this look's share of ALPHA."""

    pairs: int
    alpha: float


class State(StrEnum):
    """What the pairs say about one question."""

    FASTER = "better"
    SLOWER = "worse"
    KEPT = "kept"
    FAILED = "failed"
    OPEN = "undecided"


@dataclass(frozen=True)
class Question:
    """What is asked of one metric: whether it differs, or whether it got worse by more than a threshold."""

    metric: str
    threshold: Threshold | None = None


@dataclass(frozen=True)
class Pair:
    """One figure of A and of B from the same pair of runs, in SI units, both above zero."""

    a: float
    b: float


@dataclass(frozen=True)
class Answer:
    """What is known of a question. The shares are of A's figure: 0.1 is B 10 % above A.

    `low` and `high` hold the true change; None where the pairs are too few for bounds.
    """

    question: Question
    state: State
    pairs: int
    a: float | None
    b: float | None
    change: float | None
    low: float | None
    high: float | None

    @property
    def hidden(self) -> float | None:
        """The largest change, either way, that the noise still hides."""
        if self.low is None or self.high is None:
            return None
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class DuelResult:
    """What came of one comparison of A and B."""

    sides: Mapping[str, str]
    """What A and B are, as they were named."""
    round_s: float
    most_pairs: int
    measured: int
    """Pairs that were measured, without the warm-up."""
    answers: Sequence[Answer]
    alike: Alike | None
    failures: Mapping[str, str]
    """By side: how many calls were not valid, and why."""
    not_valid: Mapping[str, str] = field(default_factory=dict)
    """By side: how many rounds were not valid, and why the last was not."""
    unusable: int = 0
    """Pairs with a round that was not valid, or in which calls failed."""


def looks(most_pairs: int) -> tuple[Look, ...]:
    """When to look, where there are at most so many pairs, FEWEST_PAIRS or more.

    A look at which no outcome could be unlikely enough is left out, and its share goes to the next one.
    """
    found: list[Look] = []
    spent = 0.0
    for share in LOOKS_AT:
        pairs = math.ceil(share * most_pairs)
        alpha = ALPHA * (pairs / most_pairs) ** 2 - spent
        if 2.0 ** (1 - pairs) > alpha or (found and found[-1].pairs == pairs):
            continue
        spent += alpha
        found.append(Look(pairs, alpha))
    if found[-1].pairs < most_pairs:  # too little was left for the last one: it takes its forerunner's too
        spent -= found.pop().alpha
        found.append(Look(most_pairs, ALPHA - spent))
    return tuple(found)


def answer(question: Question, pairs: Sequence[Pair], alpha: float) -> Answer:
    """What the pairs say; wrong with a probability of `alpha` at most."""
    if not pairs:
        return Answer(question, State.OPEN, 0, None, None, None, None, None)
    found = paired([math.log(pair.b / pair.a) for pair in pairs], alpha)
    a, b = median(pair.a for pair in pairs), median(pair.b for pair in pairs)
    return Answer(
        question,
        _state(question, found, a),
        len(pairs),
        a,
        b,
        math.expm1(found.value),
        None if found.low is None else math.expm1(found.low),
        None if found.high is None else math.expm1(found.high),
    )


def _state(question: Question, found: Shift, a: float) -> State:
    if found.low is None or found.high is None:
        return State.OPEN
    more_is_worse = find(question.metric).good == "<"
    least, most = (found.low, found.high) if more_is_worse else (-found.high, -found.low)
    if question.threshold is None:
        return State.SLOWER if least > 0 else State.FASTER if most < 0 else State.OPEN
    allowed = _allowed(question.threshold, a, more_is_worse=more_is_worse)
    return State.FAILED if least > allowed else State.KEPT if most <= allowed else State.OPEN


def _allowed(threshold: Threshold, a: float, *, more_is_worse: bool) -> float:
    """By how much B may be worse, as a logarithm: what exceeds every part of the threshold has failed."""
    parts = [] if threshold.relative is None else [threshold.relative]
    parts += [] if threshold.absolute is None else [threshold.absolute / a]
    share = max(parts)
    if more_is_worse:
        return math.log1p(share)
    return -math.log1p(-share) if share < 1 else math.inf
