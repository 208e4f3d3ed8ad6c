"""Limits: what a user demands of the figures, text → records, and whether a figure keeps it. Knows no run.

A limit is METRIC, comparison, bound: `p99<50ms`, `service_mean<=5ms`, `valid>99.9%`, `throughput>100/s`.
Times are response times (from due), `service_` times count from the send, `lag_` is how late the generator
sent.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from scorebench.errors import InputError
from scorebench.figures.percentiles import calls_needed
from scorebench.units import parse_seconds, say_percent, say_rate, say_seconds

COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
KNOWN = (
    "p50, p90, p95, p99, p99.9 or any other percentile, mean and max, each also as service_p99 or lag_p99; "
    "valid; throughput; rows"
)
_TIME = re.compile(r"(?:service_|lag_)?(?:mean|max|p(\d+(?:\.\d+)?))")


@dataclass(frozen=True)
class Kind:
    """What metrics of one kind share: units (text → factor to SI), the good side, how they are said."""

    units: dict[str, float]
    good: str
    say: Callable[[float], str]
    example: str


TIME = Kind({"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}, "<", say_seconds, "50ms")
SHARE = Kind({"%": 0.01}, ">", say_percent, "99.9%")
RATE = Kind({"/s": 1.0}, ">", say_rate, "100/s")


@dataclass(frozen=True)
class Limit:
    """`bound` in SI units: seconds, a share of 1, or a number a second; `text` as the user wrote it."""

    metric: str
    op: str
    bound: float
    text: str

    @property
    def percentile(self) -> float | None:
        return percentile_of(self.metric)


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
    """How much worse is too much: beyond each part given, `relative` a share, `absolute` in SI units."""

    metric: str
    relative: float | None
    absolute: float | None
    text: str

    def exceeded(self, before: float, after: float) -> bool:
        """Whether `after` is worse than `before` by more than every part of the threshold."""
        worse = after - before if kind_of(self.metric).good == "<" else before - after
        parts = [] if self.relative is None else [self.relative * abs(before)]
        parts += [] if self.absolute is None else [self.absolute]
        return all(worse > part for part in parts)


@dataclass(frozen=True)
class Checked:
    """A limit beside what was measured; `met` is None when it was not."""

    limit: Limit
    value: float | None
    met: bool | None
    why: str


class Watch:
    """Follows a StopWhen through a run, second by second; the caller owns the clock."""

    def __init__(self, stop_when: StopWhen) -> None:
        self._stop_when = stop_when
        self._since_s: float | None = None

    def see(self, at_s: float, value: float | None) -> bool:
        """True once the condition has held for `for_s`. None changes nothing: a frozen server has none."""
        if value is not None and not COMPARISONS[self._stop_when.op](value, self._stop_when.bound):
            self._since_s = None
        elif value is not None and self._since_s is None:
            self._since_s = at_s
        return self._since_s is not None and at_s - self._since_s >= self._stop_when.for_s


def parse_limit(text: str, place: str = "--limit") -> Limit:
    """`p99<50ms` → Limit. InputError says which part is wrong, and what is known."""
    metric, op, bound = _condition(text, f"{place} {text.strip()}")
    _right_way(metric, op, f"{place} {text.strip()}", wanted=kind_of(metric).good)
    if kind_of(metric) is SHARE and (bound > 1 or (bound == 1 and op == ">")):
        raise InputError(f"{place} {text.strip()}: no share is above 100 %. Write {metric}>=100% or less.")
    return Limit(metric, op, bound, text.strip())


def parse_stop_when(text: str, place: str = "--stop-when") -> StopWhen:
    """`p99>2s for 10s` → StopWhen; the comparison is the opposite of a limit's."""
    place = f"{place} {text.strip()}"
    condition, word, duration = text.partition(" for ")
    if not word:
        raise InputError(f"{place}: for how long? Write it as in 'p99>2s for 10s'.")
    metric, op, bound = _condition(condition, place)
    _right_way(metric, op, place, wanted="<" if kind_of(metric).good == ">" else ">")
    return StopWhen(metric, op, bound, parse_seconds(duration, f"{place}, duration"), text.strip())


def parse_threshold(text: str, place: str = "--fail-if") -> Threshold:
    """`p99 +10% and +2ms`, `throughput -5%` → Threshold. For `valid`, whose unit is %, it means points."""
    place = f"{place} {text.strip()}"
    name, _, changes = text.strip().partition(" ")
    metric = _metric(name, place)
    kind = kind_of(metric)
    parts: dict[str, float] = {}
    for change in changes.split(" and "):
        what, size = _change(change.strip(), kind, place)
        if what in parts:
            raise InputError(f"{place}: found two {what} parts; one is enough. Keep the larger.")
        parts[what] = size
    return Threshold(metric, parts.get("relative"), parts.get("absolute"), text.strip())


def check(limit: Limit, value: float | None) -> Checked:
    """Whether `value`, in SI units, keeps the limit. What was not measured is neither met nor missed."""
    if value is None or not math.isfinite(value):
        needed = needs_calls(limit)
        why = f"{limit.metric} was not measured" + (f": it needs {needed:,} calls" if needed else "")
        return Checked(limit, None, None, why)
    met = bool(COMPARISONS[limit.op](value, limit.bound))
    figure = f"{limit.metric} is {say(limit.metric, value)}"
    return Checked(limit, value, met, f"{figure}, {'within' if met else 'beyond'} {limit.text}")


def needs_calls(limit: Limit) -> int | None:
    """The calls below which the limit can't be judged; None where there is no such number."""
    return None if limit.percentile is None else calls_needed(limit.percentile)


def check_support(limit: Limit, calls: float, place: str = "--limit") -> None:
    """InputError when a run of `calls` calls can't support the limit's percentile; asked before the run."""
    needed = needs_calls(limit)
    if needed is not None and calls < needed:
        raise InputError(
            f"{place} {limit.text}: {limit.metric} needs {needed:,} calls, the run sends about {calls:,.0f}. "
            f"Run {needed / max(calls, 1):.3g} times as long, or limit a lower percentile."
        )


def kind_of(metric: str) -> Kind:
    """The kind of a known metric; KeyError for others."""
    if _TIME.fullmatch(metric):
        return TIME
    return {"valid": SHARE, "throughput": RATE, "rows": RATE}[metric]


def percentile_of(metric: str) -> float | None:
    """`service_p99.9` → 0.999; None for a metric that is no percentile."""
    found = _TIME.fullmatch(metric)
    return float(found[1]) / 100 if found and found[1] else None


def say(metric: str, value: float) -> str:
    """A figure of that metric with its unit: `41.2 ms`, `99.94 %`, `96/s`."""
    return kind_of(metric).say(value)


def _condition(text: str, place: str) -> tuple[str, str, float]:
    found = re.fullmatch(r"([^<>=]*)([<>=]+)(.*)", text, flags=re.DOTALL)
    if not found:
        raise InputError(
            f"{place}: found no comparison; expected METRIC, < or >, and a bound, as in p99<50ms."
        )
    name, op, bound = (part.strip() for part in found.groups())
    metric = _metric(name, place)
    if op not in COMPARISONS:
        raise InputError(f"{place}: comparison {op!r} is not known. Known are {', '.join(COMPARISONS)}.")
    return metric, op, _quantity(bound, metric, kind_of(metric).units, place)


def _metric(name: str, place: str) -> str:
    try:
        kind_of(name)
    except KeyError:
        raise InputError(f"{place}: metric {name!r} is not known. Known are {KNOWN}.") from None
    share = percentile_of(name)
    if share is not None and not 0 < share < 1:
        raise InputError(
            f"{place}: metric {name!r} is no percentile; expected one such as p99; the highest value is max."
        )
    return name


def _quantity(text: str, metric: str, units: dict[str, float], place: str) -> float:
    found = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(\D.*)?", text, flags=re.IGNORECASE)
    if not found:
        raise InputError(
            f"{place}: bound {text!r} is no number with a unit, as in {kind_of(metric).example}."
        )
    number, unit = found[1], (found[2] or "").strip()
    if unit not in units:
        what = f"unit {unit!r} does not go with {metric}" if unit else f"bound {number} has no unit"
        raise InputError(f"{place}: {what}. Known are {', '.join(units)}, as in {kind_of(metric).example}.")
    bound = float(number) * units[unit]
    if not 0 < bound < math.inf:
        raise InputError(
            f"{place}: bound {text!r} is infinite or not above zero; give {kind_of(metric).example}."
        )
    return bound


def _right_way(metric: str, op: str, place: str, wanted: str) -> None:
    if op[0] != wanted:
        example = f"{metric}{wanted}{kind_of(metric).example}"
        raise InputError(f"{place}: comparison {op!r} looks the wrong way round. Write it as in {example}.")


def _change(text: str, kind: Kind, place: str) -> tuple[str, float]:
    sign = "+" if kind.good == "<" else "-"
    units = {"%": 0.01, **kind.units}
    found = re.fullmatch(r"([-+])\s*(\d+(?:\.\d+)?)\s*(\D+)", text)
    if not found or found[3] not in units or float(found[2]) == 0:
        raise InputError(
            f"{place}: change {text!r} is not known; expected a sign, a number, and {', '.join(units)}."
        )
    if found[1] != sign:
        raise InputError(f"{place}: change {text!r} is for the better. Worse is {sign}{text[1:].strip()}.")
    is_relative = found[3] == "%" and kind is not SHARE
    return "relative" if is_relative else "absolute", float(found[2]) * units[found[3]]
