"""Axes of charts: where a value goes, and which are labelled. Knows arithmetic; no drawing, no run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_CLOCK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)
_NINES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)


@dataclass(frozen=True)
class Axis:
    """`low` to `high` in the units of `place`, which maps a value there; `ticks` are (value, text)."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    say: Callable[[float], str] = str
    place: Callable[[float], float] = float

    def share(self, value: float) -> float:
        """Between 0 and 1."""
        low, high = self.place(self.low), self.place(self.high)
        return 0.5 if high == low else min(max((self.place(value) - low) / (high - low), 0.0), 1.0)


def linear(label: str, high: float, say: Callable[[float], str], *, least_step: float = 0.0) -> Axis:
    """From 0 to a round number not below `high`."""
    high = max(high, 1e-9)
    step = max(_round_step(high / 4), least_step)
    count = math.ceil(high / step - 1e-9)
    return Axis(label, 0.0, count * step, [(n * step, say(n * step)) for n in range(count + 1)], say)


def clock(high_s: float) -> Axis:
    """Time from the start of a run to its end, `high_s`, named at whole seconds, minutes or hours."""
    high_s = max(high_s, 1.0)
    step = next((step for step in _CLOCK_STEPS_S if high_s / step <= 9), math.ceil(high_s / 9))
    say, form = _clock_words(high_s)
    ticks = [(float(at), say(at)) for at in range(0, int(high_s) + 1, step)]
    return Axis(f"time from the start{form}", 0.0, high_s, ticks, say)


def _clock_words(high_s: float) -> tuple[Callable[[float], str], str]:
    if high_s < 180:
        return lambda at: f"{at:.0f} s", ""
    if high_s < 3_600:
        return lambda at: f"{at // 60:.0f}:{at % 60:02.0f}", ", m:ss"
    return lambda at: f"{at // 3600:.0f}:{at // 60 % 60:02.0f}:{at % 60:02.0f}", ", h:mm:ss"


def logarithmic(label: str, low: float, high: float, say: Callable[[float], str]) -> Axis:
    """Powers of ten around positive values; with 1, 2 and 5 if there are few."""
    low, high = max(low, 1e-9), max(high, low * 1.0001, 1e-9)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    below = max([v for v in values if v <= low], default=low)
    above = min([v for v in values if v >= high], default=high)
    ticks = [(v, say(v)) for v in values if below <= v <= above]
    return Axis(label, below, above, ticks, say, lambda value: math.log10(max(value, below)))


def hdr(label: str, most: float) -> Axis:
    """Shares from p0 towards p100 as in HdrHistogram's plots: each additional nine takes the same space."""
    high = next((mark for mark in _NINES[2:] if mark >= most), _NINES[-1])
    named = _NINES if high <= 0.999 else _NINES[1:]  # where nines are many, p0 and p50 stand too close
    ticks = [(mark, f"p{100 * mark:.6g}") for mark in named if mark <= high]
    return Axis(label, 0.0, high, ticks, _percentile, lambda share: -math.log10(1 - min(share, 0.9999999)))


def _percentile(share: float) -> str:
    """One digit more than it has nines: p50.0, p99.3, p99.95."""
    nines = int(-math.log10(max(1 - share, 1e-7)) + 1e-9)
    return f"p{100 * share:.{max(nines - 1, 0) + 1}f}"


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * 0.999)
