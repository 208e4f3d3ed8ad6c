"""Limits: text → records, and whether a figure meets them. Knows no run.

A limit is METRIC, comparison, bound: `p99<50ms`, `service_mean<=5ms`, `valid>99.9%`, `throughput>100/s`.
`figures.metrics` has the table of metrics, and how each is read and printed.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass

from scorebench.errors import InputError
from scorebench.figures.metric import Metric
from scorebench.figures.metrics import UnknownMetric, find
from scorebench.figures.percentiles import CONFIDENCE
from scorebench.units import parse_seconds, say_percent

COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Limit:
    """`bound` in SI units: seconds, a share of 1, or a number a second; `text` as the user wrote it."""

    metric: str
    op: str
    bound: float
    text: str

    @property
    def of(self) -> Metric:
        """The metric's record."""
        return find(self.metric)

    def keeps(self, value: float) -> bool:
        """Whether a figure of that value meets the limit."""
        return bool(COMPARISONS[self.op](value, self.bound))


@dataclass(frozen=True)
class StopWhen:
    """The run is lost once the condition has held for `for_s` without a break."""

    metric: str
    op: str
    bound: float
    for_s: float
    text: str


@dataclass(frozen=True)
class Threshold:
    """How much worse a metric may become: by a `relative` share, an `absolute` amount (SI units), or both."""

    metric: str
    relative: float | None
    absolute: float | None
    text: str

    def exceeded(self, before: float, after: float) -> bool:
        """Whether `after` is worse than `before` by more than every part of the threshold."""
        worse = abs(after - before) if find(self.metric).is_worse(before, after) else 0.0
        parts = [] if self.relative is None else [self.relative * abs(before)]
        parts += [] if self.absolute is None else [self.absolute]
        return all(worse > part for part in parts)


@dataclass(frozen=True)
class Checked:
    """A limit with the value that was measured; `met` is None if it was not measured."""

    limit: Limit
    value: float | None
    met: bool | None
    why: str
    cure: str | None = None
    """What would decide an open one, where more calls do not."""


class Watch:
    """Follows a StopWhen through a run, second by second; the caller owns the clock."""

    def __init__(self, stop_when: StopWhen) -> None:
        self._stop_when = stop_when
        self._since_s: float | None = None

    def see(self, at_s: float, value: float | None) -> bool:
        """True once the condition has held for `for_s`. None, as of a frozen server, changes nothing."""
        if value is not None and not COMPARISONS[self._stop_when.op](value, self._stop_when.bound):
            self._since_s = None
        elif value is not None and self._since_s is None:
            self._since_s = at_s
        return self._since_s is not None and at_s - self._since_s >= self._stop_when.for_s


def parse_limit(text: str, place: str = "--limit") -> Limit:
    """`p99<50ms` → Limit. InputError names the wrong part and what was expected."""
    place = f"{place} {text.strip()}"
    metric, op, bound = _condition(text, place)
    _right_way(metric, op, place, wanted=metric.good)
    most = metric.unit.most
    if bound > most or (bound == most and op == ">"):
        write = f"{metric.name}{op[0]}={most:.0%}"
        raise InputError(f"{place}: no share is above 100 %. Write {write} or less.")
    return Limit(metric.name, op, bound, text.strip())


def parse_stop_when(text: str, place: str = "--stop-when") -> StopWhen:
    """`p99>2s for 10s` → StopWhen; the comparison is the opposite of a limit's."""
    place = f"{place} {text.strip()}"
    condition, word, duration = text.partition(" for ")
    if not word:
        raise InputError(f"{place}: for how long? Write it as in 'p99>2s for 10s'.")
    metric, op, bound = _condition(condition, place)
    _right_way(metric, op, place, wanted="<" if metric.good == ">" else ">")
    if metric.of_last_seconds is None:
        raise InputError(
            f"{place}: {metric.name} has no figure of a run's last seconds, so it would never end one. Name "
            "another metric, or give its record `of_last_seconds`."
        )
    return StopWhen(metric.name, op, bound, parse_seconds(duration, f"{place}, duration"), text.strip())


def parse_threshold(text: str, place: str = "--fail-if") -> Threshold:
    """`p99 +10% and +2ms`, `throughput -5%` → Threshold. For `valid`, whose unit is %, it means points."""
    place = f"{place} {text.strip()}"
    name, _, changes = text.strip().partition(" ")
    if re.search(r"[-+<>=]", name):  # as a limit is written, or without the blank
        raise InputError(
            f"{place}: expected a metric, a blank, and by how much it gets worse: "
            "'p99 +10%', 'p99 +10% and +2ms' or 'throughput -5%'."
        )
    metric = _metric(name, place)
    parts: dict[str, float] = {}
    for change in changes.split(" and "):
        what, size = _change(change.strip(), metric, place)
        if what in parts:
            raise InputError(f"{place}: found two {what} parts; one is enough. Keep the larger.")
        parts[what] = size
    return Threshold(metric.name, parts.get("relative"), parts.get("absolute"), text.strip())


def check(limit: Limit, value: float | None, low: float | None = None, high: float | None = None) -> Checked:
    """Whether a figure keeps the limit; all in SI units, `low` and `high` the bounds of the true value.

    The figure decides where there is one. Where too few calls support it a bound alone can: the limit is
    missed when even the better bound does not keep it, and met when even the worse one does. Else it is open.
    """
    metric = limit.of
    if value is not None and math.isfinite(value):
        met = limit.keeps(value)
        return Checked(limit, value, met, f"{metric.name} is {metric.say(value)}, {_verdict(limit, met)}")
    for bound, words, decides in ((low, "at least", ">"), (high, "at most", "<")):
        if bound is not None and limit.keeps(bound) == (metric.good == decides):
            met = limit.keeps(bound)
            bound_text = f"{words} {metric.say(bound)} ({say_percent(CONFIDENCE)} sure)"
            return Checked(limit, None, met, f"{metric.name} is {bound_text}, {_verdict(limit, met)}")
    why = f"{metric.name} was not measured" + (f": it {metric.needs}" if metric.needs else "")
    return Checked(limit, None, None, why)


def _verdict(limit: Limit, met: bool) -> str:
    word = "within" if met else "beyond" if limit.of.good == "<" else "short of"
    return f"{word} {limit.text}"


def check_support(limit: Limit, calls: float) -> None:
    """InputError if `calls` calls are too few for the limit's percentile; checked before the run."""
    metric = limit.of
    if metric.needed is not None and metric.counted == "call" and calls < metric.needed:
        raise InputError(
            f"--limit {limit.text}: {metric.name} {metric.needs}, the run sends about {calls:,.0f}. "
            f"Run {metric.needed / max(calls, 1):.3g} times as long, or limit a lower percentile."
        )


def _condition(text: str, place: str) -> tuple[Metric, str, float]:
    found = re.fullmatch(r"([^<>=]*)([<>=]+)(.*)", text, flags=re.DOTALL)
    if not found:
        raise InputError(
            f"{place}: found no comparison; expected METRIC, < or >, and a bound, as in p99<50ms."
        )
    name, op, bound = (part.strip() for part in found.groups())
    metric = _metric(name, place)
    if op not in COMPARISONS:
        raise InputError(f"{place}: comparison {op!r} is not known. Known are {', '.join(COMPARISONS)}.")
    return metric, op, _quantity(bound, metric, op, place)


def _metric(name: str, place: str) -> Metric:
    try:
        return find(name)
    except UnknownMetric as unknown:
        raise InputError(f"{place}: {unknown}.") from None


def _quantity(text: str, metric: Metric, op: str, place: str) -> float:
    found = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(\D.*)?", text, flags=re.IGNORECASE)
    if not found:
        raise InputError(f"{place}: bound {text!r} is not a number with a unit, as in {metric.example}.")
    number, unit = found[1], (found[2] or "").strip()
    units = metric.unit.factors
    if unit not in units:
        what = f"unit {unit!r} does not go with {metric.name}" if unit else f"bound {number} has no unit"
        known = f"Known are {', '.join(units)}" if any(units) else "Write the number alone"
        raise InputError(f"{place}: {what}. {known}, as in {metric.example}.")
    bound = float(number) * units[unit]
    is_none = bound == 0 and metric.unit.has_zero and op == "<="
    if not (0 < bound < math.inf or is_none):
        raise InputError(f"{place}: bound {text!r} is infinite or not above zero; give {metric.example}.")
    return bound


def _right_way(metric: Metric, op: str, place: str, wanted: str) -> None:
    if op[0] != wanted:
        example = f"{metric.name}{wanted}{metric.example}"
        raise InputError(f"{place}: comparison {op!r} looks the wrong way round. Write it as in {example}.")


def _change(text: str, metric: Metric, place: str) -> tuple[str, float]:
    sign = "+" if metric.good == "<" else "-"
    units = {"%": 0.01, **metric.unit.factors}
    found = re.fullmatch(r"([-+])\s*(\d+(?:\.\d+)?)\s*(\D*)", text)
    if not found or found[3] not in units or float(found[2]) == 0:
        raise InputError(
            f"{place}: change {text!r} is not known; expected a sign, a number, and "
            f"{', '.join(unit or 'no unit' for unit in units)}, "
            f"as in '{metric.name} {sign}10%'."
        )
    if found[1] != sign:
        raise InputError(f"{place}: change {text!r} is for the better. Worse is {sign}{text[1:].strip()}.")
    is_relative = found[3] == "%" and "%" not in metric.unit.factors
    return "relative" if is_relative else "absolute", float(found[2]) * units[found[3]]
