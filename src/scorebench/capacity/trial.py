"""Trial: one step of a search for capacity, and all steps at one rate. Knows limits."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from scorebench.figures.percentiles import Sample, pooled
from scorebench.verdicts.limits import Limit, check

FOLLOWS = 0.97
"""With less throughput than this share of the calls sent, the queue grows or calls fail."""
NOT_FOLLOWED = "throughput"
CLEAR_MARGIN = 3.0
SLIM = 0.2
"""A smaller margin may be chance: one step alone does not pass with it."""
FEWEST, ENOUGH, MOST_STEPS = 2, 3, 5
"""Steps at one rate: to believe a failure, to rest on an edge, and after which to give up."""


@dataclass(frozen=True)
class Plan:
    """What to measure: `users` in a closed loop, or Poisson arrivals at `rate_per_s` with at least `users`.

    `number` counts the steps from 0: a seed. `why` is a word on what the step is for.
    """

    number: int
    duration_s: float
    users: int
    rate_per_s: float | None
    why: str


@dataclass(frozen=True)
class Reading:
    """What a limit's metric came to, in SI units, None where the calls did not support it.

    Of a percentile the `sample` as well, from which several steps together have an upper bound.
    """

    limit: Limit
    value: float | None
    sample: Sample | None = None

    @property
    def is_missed(self) -> bool:
        """By the figure; if the calls were too few for it, by its lower bound."""
        q, sample = self.limit.of.q, self.sample
        low = None if q is None or sample is None or self.value is not None else sample.lower_bound(q)
        return check(self.limit, self.value, low=low).met is False


@dataclass(frozen=True)
class Measured:
    """What a step came to, warm-up left out of all but `duration_s`, which is all the time it took.

    `achieved_per_s` counts the calls sent and `throughput_per_s` the valid answers that came, both in the
    time that was measured: a queue that grows shows in their difference. `in_service` is the mean number of
    calls between sent and done as the generator counted it, if it did: an independent figure to hold
    Little's law against. `invalid` says why the measurement can't be used.
    """

    duration_s: float
    achieved_per_s: float
    throughput_per_s: float
    mean_service_s: float | None
    readings: tuple[Reading, ...]
    in_service: float | None = None
    invalid: str | None = None


@dataclass(frozen=True)
class Step:
    """A plan and what came of it."""

    plan: Plan
    measured: Measured

    @property
    def judged(self) -> tuple[Reading, ...]:
        return tuple(r for r in self.measured.readings if not r.limit.of.is_floor)

    @property
    def broke(self) -> tuple[str, ...]:
        """Metrics whose limits were missed, and `throughput` where it did not follow the rate."""
        missed = [r.limit.metric for r in self.judged if r.is_missed]
        return tuple(missed) + ((NOT_FOLLOWED,) if self._fell_behind else ())

    @property
    def why_unusable(self) -> str | None:
        """Why the step says neither that the rate held nor that it failed."""
        if self.measured.invalid:
            return self.measured.invalid
        unknown = [r.limit for r in self.judged if r.value is None]
        if unknown and not self.broke:
            return check(unknown[0], None).why
        return None

    @property
    def held(self) -> bool | None:
        return None if self.why_unusable else not self.broke

    @property
    def margin(self) -> float | None:
        """How far the worst limit is from breaking: 0 at it, negative beyond; None if there is none."""
        if self.why_unusable:
            return None
        margins = [margin_of(r.limit, r.value) for r in self.judged if r.value is not None]
        if self._fell_behind and self.plan.rate_per_s:
            margins.append(self.measured.throughput_per_s / self.plan.rate_per_s - 1)
        return min(margins, default=None)

    @property
    def calls_in_service(self) -> float | None:
        """By Little's law: throughput times mean service time."""
        if self.measured.mean_service_s is None:
            return None
        return self.measured.throughput_per_s * self.measured.mean_service_s

    @property
    def little_error(self) -> float | None:
        """How far Little's law is from the calls counted in service, or in a closed loop from the users."""
        counted = self.measured.in_service
        if counted is None and self.plan.rate_per_s is None:
            counted = float(self.plan.users)
        if not counted or self.calls_in_service is None:
            return None
        return abs(self.calls_in_service - counted) / counted

    @property
    def _fell_behind(self) -> bool:
        """Fewer valid answers than sent, or than asked, beyond the failures that a limit allows."""
        rate, measured = self.plan.rate_per_s, self.measured
        if rate is None:
            return False
        follows = FOLLOWS * min(
            (r.limit.bound for r in self.judged if r.limit.of.allows_failures), default=1.0
        )
        # What was asked varies by chance around the rate, as Poisson counts do; what was sent is known.
        chance = 3 * (rate / self.plan.duration_s) ** 0.5
        expected = max(follows * measured.achieved_per_s, follows * rate - chance)
        return bool(measured.throughput_per_s < expected)


@dataclass(frozen=True)
class Tried:
    """All steps at one rate, which decide together."""

    rate_per_s: float
    steps: tuple[Step, ...]

    @property
    def usable(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.held is not None)

    @property
    def held(self) -> bool | None:
        """What most usable steps say; in a draw of two and two the middle margin; None if undecided."""
        votes = [step.held for step in self.usable]
        if votes.count(True) != votes.count(False):
            return votes.count(True) > votes.count(False)
        return self.margin >= 0 if self.margin is not None and len(votes) > FEWEST else None

    @property
    def failed(self) -> bool:
        """Whether it failed in more than one step: a single one may be an accident."""
        return self.held is False and len(self.usable) >= FEWEST

    @property
    def undecided(self) -> bool:
        """Whether another step is needed: after a draw, a lone failure, a narrow pass or an invalid step."""
        slim = self.margin is not None and self.margin < SLIM and len(self.usable) < FEWEST
        decided = (self.held and not slim) or self.failed or (not self.usable and len(self.steps) >= FEWEST)
        return not decided and len(self.steps) < MOST_STEPS

    @property
    def is_settled(self) -> bool:
        """Measured often enough to be an edge: three times alike, or as often as any rate is."""
        alike = len({step.held for step in self.usable}) == 1
        close = self.margin is not None and abs(self.margin) < SLIM
        return (
            ((alike or close) and len(self.usable) >= ENOUGH) or self.is_wall or len(self.steps) >= MOST_STEPS
        )

    @property
    def is_wall(self) -> bool:
        """Neither held nor failed, however often it was measured."""
        return not (self.held or self.failed or self.undecided)

    @property
    def margin(self) -> float | None:
        margins = [step.margin for step in self.usable if step.margin is not None]
        return median(margins) if margins else None

    @property
    def throughput_per_s(self) -> float:
        return median(step.measured.throughput_per_s for step in self.usable or self.steps)

    @property
    def broke(self) -> tuple[str, ...]:
        """What broke in the steps that failed, most often first."""
        broken = [metric for step in self.usable for metric in step.broke]
        return tuple(sorted(set(broken), key=lambda metric: (-broken.count(metric), broken.index(metric))))

    @property
    def is_sure(self) -> bool:
        """Each limit on a percentile is kept by its upper bound too."""
        limits = [r.limit for step in self.usable[:1] for r in step.judged if r.limit.of.q is not None]
        return all(check(limit, self.upper(limit)).met for limit in limits)

    def value(self, limit: Limit) -> float | None:
        """The median over the steps of what the limit's metric came to."""
        return _median([r.value for r in self._readings(limit)])

    def upper(self, limit: Limit) -> float | None:
        """A percentile's upper bound (99 % sure), from all steps together; None if the calls are too few."""
        value, q = self.value(limit), limit.of.q
        samples = [r.sample for r in self._readings(limit) if r.sample is not None]
        upper = pooled(samples).upper_bound(q) if q is not None and samples else None
        return None if upper is None or value is None else max(upper, value)

    def figure_text(self, limit: Limit) -> str:
        value = self.value(limit)
        return f"{limit.metric} not measured" if value is None else f"{limit.metric} {limit.of.say(value)}"

    def _readings(self, limit: Limit) -> list[Reading]:
        return [r for step in self.usable for r in step.measured.readings if r.limit == limit]


def margin_of(limit: Limit, value: float) -> float:
    """The metric's margin, within -1 and 3: a straight line to the edge makes the next guess a good one."""
    return min(max(limit.of.margin(limit.bound, value), -1.0), CLEAR_MARGIN)


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
