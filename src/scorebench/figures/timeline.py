"""Recording → one row a second, gaps included. Knows tallies and percentiles; no files, no wording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scorebench.answers.outcome import BY_LABEL, Group
from scorebench.figures.percentiles import HEADLINE, QUANTILES, calls_needed, percentile
from scorebench.recordings.bands import width_us

if TYPE_CHECKING:
    from scorebench.recordings.tally import SecondTally, Tally


class Second(NamedTuple):
    """One second of the run; times are the response times of the valid calls that were due in it.

    A tuple, because a week has 600,000 of them.
    """

    t_s: int
    """Whole seconds since the run's first, which is 0."""
    unix_s: int
    due: int
    sent: int
    valid: int
    """This and the next three: calls that ended in this second."""
    invalid: int
    failed: int
    cut_off: int
    rows: int
    p50_s: float | None
    """None if the calls are too few, as in the summary."""
    p95_s: float | None
    p99_s: float | None
    max_s: float | None


class SecondOfTimes(NamedTuple):
    """Durations of one second, such as those to the first chunk of the calls that were due in it."""

    t_s: int
    p50_s: float | None
    """None if they are too few, as in the summary."""
    p95_s: float | None
    p99_s: float | None
    max_s: float | None


def times_by_second(
    found: Mapping[int, Mapping[int, int]], first: int, last: int
) -> tuple[SecondOfTimes, ...]:
    """Of each second from `first` to `last`; `found` has its bands of durations by their lowest µs."""
    nothing: Mapping[int, int] = {}
    return tuple(
        SecondOfTimes(unix_s - first, **times_of_bands(found.get(unix_s, nothing)))
        for unix_s in range(first, last + 1)
    )


def timeline(tally: Tally) -> tuple[Second, ...]:
    """Every second from the first to the last in which anything happened."""
    if not tally.seconds:
        return ()
    first = min(tally.seconds)
    seconds = range(first, max(tally.seconds) + 1)
    return tuple(
        _second(unix_s - first, unix_s, tally.seconds[unix_s])
        if unix_s in tally.seconds
        else Second(unix_s - first, unix_s, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)
        for unix_s in seconds
    )


def _second(t_s: int, unix_s: int, tally: SecondTally) -> Second:
    ended = dict.fromkeys(Group, 0)
    for label, calls in tally.done.items():
        ended[BY_LABEL[label].group] += calls
    return Second(
        t_s=t_s,
        unix_s=unix_s,
        due=tally.due,
        sent=tally.sent,
        valid=ended[Group.VALID],
        invalid=ended[Group.INVALID],
        failed=ended[Group.FAILED],
        cut_off=ended[Group.CUT_OFF],
        rows=tally.rows,
        **times_of_bands(tally.response_us),
    )


def times_of_bands(bands: Mapping[int, int]) -> dict[str, float | None]:
    """The percentiles (`p50_s` …, None where calls are too few) and `max_s` of the durations in `bands`.

    `bands` has how many there are by the lowest µs of each band.
    """
    lowest_us = sorted(bands)
    counts = np.array([bands[us] for us in lowest_us], dtype=np.int64)
    known = int(counts.sum())
    percentiles = {
        f"{name}_s": _middle_of(percentile(lowest_us, counts, q)) if known >= calls_needed(q) else None
        for name in HEADLINE
        if (q := QUANTILES[name])
    }
    return {**percentiles, "max_s": middle_s(lowest_us[-1]) if lowest_us else None}


def _middle_of(lowest_us: float | None) -> float | None:
    return None if lowest_us is None else middle_s(int(lowest_us))


@lru_cache(maxsize=4096)  # a run has some thousands of buckets, and each of its seconds hundreds of them
def middle_s(lowest_us: int) -> float:
    """The middle, in seconds, of the coarse bucket that begins at `lowest_us`."""
    return (lowest_us + (width_us(lowest_us) - 1) / 2) / 1e6
