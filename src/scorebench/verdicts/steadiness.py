"""Steadiness: the seconds of a run → was the load steady, and if not, what changed? Knows no run, no clock.

The rule is perf_analyzer's (inference_profiler.cc, `DetermineStability`): of three consecutive windows the
highest throughput and the highest latency are at most 10 % above the lowest. Here the windows are the thirds
of the run, and a difference counts only when it is also larger than chance makes it: at 20 calls a second two
windows of 5 s differ by 10 % more often than not, with nothing the matter.

The seconds are first drawn together into beats of twenty calls or more. How much chance makes of a mean of
beats comes from how much neighbouring beats differ, with what neighbours have in common added (an AR(1)
process, its correlation r = V2/V1 - 1 from the variogram at one and two beats). Slow changes hardly show in
the differences of neighbours, so what is looked for does not hide itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scorebench.units import say_percent

TOLERANCE = 0.10
CALLS_A_BEAT = 20
FEWEST_BEATS, MOST_BEATS = 9, 120
TREND_CERTAIN, RANGE_CERTAIN = 4.0, 6.0
"""Standard errors beyond which a slope, or the range of three means or the first beat, is not put to chance.

Higher than normal deviates would need, since latencies are skewed: on Poisson arrivals with latencies from
constant to log-normal and 1 % a hundred times slower, and on M/M/1 queues, at most 1 run in 20 is wrongly
called unsteady, most of the time fewer than 1 in 100.
"""
MOST_COMMON = 0.9
"""The correlation of neighbours is not believed to be higher: it would explain any change away."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unsteadiness:
    """One thing that was not steady: `size` is a ratio (0.3 is 30 %)."""

    kind: str
    metric: str
    size: float
    text: str
    advice: str


@dataclass(frozen=True)
class Steadiness:
    """`findings` is empty when the run was steady, None when it was too short to tell: `why_not` says so."""

    findings: tuple[Unsteadiness, ...] | None
    why_not: str | None = None


@dataclass(frozen=True)
class Beats:
    """A metric in equal steps of the run, as multiples of its mean; `weights` are the calls of each step."""

    metric: str
    values: Floats
    weights: Floats
    width_s: int
    noise: float
    """What chance makes of one beat in the long run: the mean of k beats has a standard error of noise/√k."""

    def mean(self, first: int, last: int) -> float:
        return float(np.average(self.values[first:last], weights=self.weights[first:last]))

    def after(self, first: int) -> Beats:
        return Beats(self.metric, self.values[first:], self.weights[first:], self.width_s, self.noise)


def judge(calls: Sequence[int], latency_s: Sequence[float | None]) -> Steadiness:
    """Steady or not: `calls` valid answers in each whole second of the run, and their mean latency.

    A second without an answer has the latency None. Only for arrivals that keep one rate: a ramp is not
    steady, and should not be.
    """
    if len(calls) != len(latency_s):
        raise ValueError(f"{len(calls)} seconds of calls, {len(latency_s)} of latency")
    width_s = _beat_width_s(calls)
    if width_s is None or len(calls) // width_s < FEWEST_BEATS:
        needed = f"{FEWEST_BEATS} times {CALLS_A_BEAT} calls, and {FEWEST_BEATS} s"
        return Steadiness(None, f"too short to tell whether it was steady: that takes {needed}")
    findings = _judged(_throughput(calls, width_s))
    latency = _latency(calls, latency_s, width_s)
    if len(latency.values) >= FEWEST_BEATS:
        findings += _judged(latency)
    return Steadiness(tuple(findings))


def _beat_width_s(calls: Sequence[int]) -> int | None:
    total = sum(calls)
    if not total:
        return None
    return max(1, math.ceil(CALLS_A_BEAT * len(calls) / total), math.ceil(len(calls) / MOST_BEATS))


def _throughput(calls: Sequence[int], width_s: int) -> Beats:
    counts = _summed(np.asarray(calls, dtype=np.float64), width_s)
    values = counts / counts.mean()
    # Never less than the noise of Poisson counts: equal counts by luck are no sign of a clockwork.
    noise = max(_noise(values, _jumps(values)), 1 / math.sqrt(counts.mean()))
    return Beats("throughput", values, np.ones_like(values), width_s, noise)


def _latency(calls: Sequence[int], latency_s: Sequence[float | None], width_s: int) -> Beats:
    known = [(count, latency) for count, latency in zip(calls, latency_s, strict=True)]
    counts = _summed(np.array([0.0 if latency is None else count for count, latency in known]), width_s)
    sums_s = _summed(
        np.array([0.0 if latency is None else count * latency for count, latency in known]), width_s
    )
    answered = (counts > 0) & (sums_s > 0)
    counts, sums_s = counts[answered], sums_s[answered]
    values = sums_s / counts * (counts.sum() / sums_s.sum()) if len(counts) else counts
    noise = _noise(values, _jumps(values)) if len(values) >= FEWEST_BEATS else math.inf
    return Beats("latency", values, counts, width_s, noise)


def _summed(seconds: Floats, width_s: int) -> Floats:
    whole = len(seconds) // width_s * width_s
    return np.asarray(seconds[:whole].reshape(-1, width_s).sum(axis=1))


def _noise(values: Floats, jumps: int) -> float:
    first, second = (_variogram(values, lag, jumps * lag) for lag in (1, 2))
    if not first:
        return 0.0
    common = min(max(second / first - 1, 0.0), MOST_COMMON)
    return math.sqrt(first / (1 - common) * (1 + common) / (1 - common))


def _jumps(values: Floats) -> int:
    return 1 if len(values) < 24 else 2


def _variogram(values: Floats, lag: int, left_out: int) -> float:
    """Half the mean square of differences at that lag, without the largest, as if squares of normal deviates.

    A jump of the level shows in as many differences as the lag; left in, the larger it is the more would it
    pass for noise. The mean of chi-square(1) below its quantile x is F₃(x) / F₁(x).
    """
    from scipy.special import chdtr, chdtri

    differences = values[lag:] - values[:-lag]
    squares = np.sort((differences - np.median(differences)) ** 2)
    kept = squares[: len(squares) - left_out]
    share = left_out / len(squares)
    return float(kept.mean()) / 2 * (1 - share) / float(chdtr(3, chdtri(1, share)))


def _judged(beats: Beats) -> list[Unsteadiness]:
    """A slow start is named and left out; then a trend, or else thirds that differ."""
    slow = _slow_beats(beats)
    findings = [_slow_start(beats, slow)] if slow else []
    rest = beats.after(slow)
    if trend := _trend(rest):
        findings.append(trend)
    elif unsteady := _unsteady(rest):
        findings.append(unsteady)
    return findings


def _slow_beats(beats: Beats) -> int:
    """How many beats at the start were worse than the second half of the run, and than each beat of it."""
    count = len(beats.values)
    usual = beats.mean(count // 2, count)
    excess = (beats.values - usual) * (1 if beats.metric == "latency" else -1)
    chance = max(
        TOLERANCE * usual,
        RANGE_CERTAIN * _noise(beats.values[count // 2 :], jumps=0),
        float(excess[count // 2 :].max()),
    )
    slow = excess[: count // 3] > chance
    return int(np.argmin(np.append(slow, False)))


def _slow_start(beats: Beats, slow: int) -> Unsteadiness:
    first, rest = beats.mean(0, slow), beats.mean(slow, len(beats.values))
    length_s = slow * beats.width_s
    return Unsteadiness(
        "slow start",
        beats.metric,
        abs(first / rest - 1),
        f"slow start: in the first {length_s} s {beats.metric} was {first / rest:.2g} times that of the rest",
        f"lengthen --warm-up by {length_s} s or more",
    )


def _trend(beats: Beats) -> Unsteadiness | None:
    """Theil and Sen's slope, the median over all pairs, times the length of the run."""
    count = len(beats.values)
    at = np.arange(count)
    earlier, later = np.triu_indices(count, k=1)
    slope = float(np.median((beats.values[later] - beats.values[earlier]) / (at[later] - at[earlier])))
    change = slope * (count - 1)
    middle = float(np.median(beats.values - slope * (at - (count - 1) / 2)))
    size = change / max(middle - change / 2, 1e-9)
    # The variance of a fitted slope over n equal steps is 12 noise² / n³.
    if abs(change) <= TREND_CERTAIN * beats.noise * math.sqrt(12 / count) or abs(size) <= TOLERANCE:
        return None
    word = "rose" if change > 0 else "fell"
    return Unsteadiness(
        "trend",
        beats.metric,
        abs(size),
        f"trend: {beats.metric} {word} by {_size_text(abs(size))} over the run",
        "run longer, after a longer warm-up; if it goes on, look for a queue or memory that grows",
    )


def _unsteady(beats: Beats) -> Unsteadiness | None:
    count = len(beats.values)
    ends = [count * third // 3 for third in range(4)]
    means = [beats.mean(first, last) for first, last in pairwise(ends)]
    low, high = min(means), max(means)
    if high <= (1 + TOLERANCE) * low or high - low <= RANGE_CERTAIN * beats.noise / math.sqrt(count / 3):
        return None
    size = high / low - 1 if low else math.inf
    differs = (
        f"of the run's thirds differs by {_size_text(size)}, more than {say_percent(TOLERANCE)} and than "
        "chance"
        if low
        else "was zero in a third of the run"
    )
    return Unsteadiness(
        "unsteady",
        beats.metric,
        size,
        f"unsteady: {beats.metric} {differs}",
        "look for other work on the server's or the generator's machine, or run longer",
    )


def _size_text(size: float) -> str:
    return say_percent(size) if size < 1 else f"a factor of {1 + size:.3g}"
