"""Where the time of calls went → the parts of a typical call. Statistics; no wording, no clock.

The parts of a percentile: a median of each part would not add up to the median call, since no call is median
in all of them. So the calls nearest to the percentile by rank are taken, from the bands of the recording, and
their mean of each part. These add up to the mean response time of the same calls, which lies between the
percentiles that bound them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorebench.figures.percentiles import calls_needed
from scorebench.figures.times import Times, times_of
from scorebench.recordings.bands import width_us
from scorebench.recordings.parts import PARTS

if TYPE_CHECKING:
    from scorebench.recordings.stages import Band, StageTally

SHOWN = {"p50": 0.5, "p99": 0.99}
"""The calls that have a bar."""
_NEAR = 0.025
"""Of all calls, how many on each side of the percentile are taken; above p97.5 half of those beyond it."""
_LEAST = 1.0
"""Calls on each side that are taken at least, where there are so many."""


@dataclass(frozen=True)
class TypicalCall:
    """The calls around a percentile of response time, and their mean parts, in seconds."""

    calls: float
    """How many; those of a band at the edge count in part."""
    low_s: float
    high_s: float
    """Between which their response times lie."""
    mean_s: float
    parts_s: Mapping[str, float]
    """In the order of `PARTS`, without those that took nothing; they add up to `mean_s`."""


@dataclass(frozen=True)
class Stages:
    """What is known of where the time of the valid calls went."""

    calls: int
    with_timings: int
    """Calls whose server told its stages."""
    impossible: int
    refused: int
    typical: Mapping[str, TypicalCall | None]
    """By percentile; None where too few calls support that."""
    mean_s: Mapping[str, float]
    """Of all calls, by part; they add up to the mean response time."""
    parts: Mapping[str, Times]
    others: Mapping[str, Times]
    workers: Mapping[str, int]


def stages_of(tally: StageTally) -> Stages | None:
    """The figures; None where no call was split."""
    if not tally.calls:
        return None
    return Stages(
        calls=tally.calls,
        with_timings=tally.with_timings,
        impossible=tally.impossible,
        refused=tally.refused,
        typical={name: typical(tally.bands, q) for name, q in SHOWN.items()},
        mean_s=_means([(band, 1.0) for band in tally.bands.values()]),
        parts={part: times_of(tally.parts[part], None) for part in PARTS if part in tally.parts},
        others={name: times_of(one, None) for name, one in sorted(tally.others.items())},
        workers=dict(sorted(tally.workers.items(), key=lambda item: (-item[1], item[0]))),
    )


def typical(bands: Mapping[int, Band], q: float) -> TypicalCall | None:
    """The calls around percentile `q`, between 0 and 1; None where too few calls support it."""
    calls = sum(band.calls for band in bands.values())
    if calls < calls_needed(q):
        return None
    near = max(calls * min(_NEAR, (1 - q) / 2), _LEAST)
    first, last = max(calls * q - near, 0.0), min(calls * q + near, float(calls))
    taken: list[tuple[int, Band, float]] = []
    seen = 0
    for lowest_us, band in sorted(bands.items()):
        inside = min(seen + band.calls, last) - max(float(seen), first)
        if inside > 0:
            taken.append((lowest_us, band, inside / band.calls))
        seen += band.calls
    weighed = [(band, share) for _, band, share in taken]
    means = _means(weighed)
    lowest, highest = taken[0][0], taken[-1][0]
    return TypicalCall(
        calls=sum(band.calls * share for band, share in weighed),
        low_s=lowest / 1e6,
        high_s=(highest + width_us(highest)) / 1e6,
        mean_s=sum(means.values()),
        parts_s=means,
    )


def _means(bands: list[tuple[Band, float]]) -> dict[str, float]:
    """The mean of each part over bands, of each of which a share counts."""
    calls = sum(band.calls * share for band, share in bands)
    sums = {part: sum(band.parts_s.get(part, 0.0) * share for band, share in bands) for part in PARTS}
    return {part: seconds / calls for part, seconds in sums.items() if seconds}
