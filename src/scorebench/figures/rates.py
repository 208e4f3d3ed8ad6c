"""A recording → how long was measured, and calls a second. Statistics of tallies; knows no clock, no wording.

Rates come from the schedule of the load, not from when the first and the last answer came: one call in five
seconds is 0.2/s, however fast it was answered.

Closed loop: the load lasts from the first call to `load_ended_s`. Calls in flight at its end are counted
whole. A call is in flight for the mean service time, so the time is longer by that, but it ends with the last
answer. Of a renewal process that starts at 0, t/m + 1 events begin until t on average where the times between
them are exponential with mean m (Cox, Renewal Theory, 1962, section 4.2): over t + m that is 1/m, their rate.

Open loop: each call stands for the time until the next one is due, so n calls last n intervals. A server that
keeps up answers as fast as it is asked, however long an answer takes. One that does not keep up answers later
and later: its answers take longer than its calls, by as much as response times grow over the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scorebench.figures.timeline import middle_s

if TYPE_CHECKING:
    from scorebench.figures.accounting import Accounting
    from scorebench.recordings.recording import Recording
    from scorebench.recordings.tally import Tally

FEWEST_CALLS, LEAST_S = 10, 1.0
"""The fewest calls, or the shortest time, for a rate: one call in 0.4 ms is not 2,500 calls a second."""
NEEDS = f"needs {FEWEST_CALLS} calls, or {LEAST_S:g} s"
CERTAIN = 4.0
"""Response times grow if their slope exceeds this many standard errors."""
ONE_RATE = ("constant", "poisson")
"""Arrivals whose calls are one interval apart, or are so on average."""


@dataclass(frozen=True)
class Rates:
    """`measured_s` is how long the load lasted; rates are None if that is short and the calls are few."""

    measured_s: float | None
    answering_s: float | None = None
    """How long the answers took."""
    throughput_per_s: float | None = None
    rows_per_s: float | None = None
    sent_per_s: float | None = None
    due_per_s: float | None = None


def rates_of(recording: Recording, account: Accounting) -> Rates:
    """The rates of what was measured."""
    tally = recording.measured
    if tally.first_due_s is None or tally.last_done_s is None:
        return Rates(None)
    ended_s = recording.environment.get("load_ended_s")
    if recording.environment.get("arrivals") is None:
        measured_s = sending_s = answering_s = _closed_s(tally, ended_s)
    else:
        interval_s = _interval_s(recording)
        scheduled_s = _scheduled_s(tally, interval_s, None)  # of the calls that were sent
        measured_s = _scheduled_s(tally, interval_s, ended_s if account.never_sent else None)
        sending_s = max(measured_s, _upto(tally.last_sent_s, tally, interval_s))
        answering_s = max(measured_s, scheduled_s * _stretch(tally, scheduled_s))
    if measured_s <= 0 or (measured_s < LEAST_S and account.due < FEWEST_CALLS):
        return Rates(measured_s)
    return Rates(
        measured_s=measured_s,
        answering_s=answering_s,
        throughput_per_s=tally.valid / answering_s,
        rows_per_s=tally.rows / answering_s,
        sent_per_s=tally.calls / sending_s,
        due_per_s=account.due / measured_s,
    )


def _closed_s(tally: Tally, ended_s: float | None) -> float:
    assert tally.first_due_s is not None
    assert tally.last_done_s is not None
    if ended_s is None:  # of a run that goes on, or an old recording
        return tally.last_done_s - tally.first_due_s
    drained_s = min(tally.last_done_s, ended_s + (tally.service.mean_s or 0.0))
    return max(ended_s, drained_s) - tally.first_due_s


def _interval_s(recording: Recording) -> float:
    """The interval between two due calls; 0 if a single call of a changing rate leaves it open."""
    environment, tally = recording.environment, recording.measured
    rate_per_s = environment.get("offered_rate_per_s")
    if rate_per_s and str(environment["arrivals"]).partition(":")[0] in ONE_RATE:
        return 1 / float(rate_per_s)
    if tally.last_due_s is None or tally.first_due_s is None:
        return 0.0
    return (tally.last_due_s - tally.first_due_s) / max(tally.calls - 1, 1)


def _scheduled_s(tally: Tally, interval_s: float, ended_s: float | None) -> float:
    """From the first due time until another call would be due; until `ended_s` where some were not sent."""
    assert tally.first_due_s is not None
    until_s = tally.last_done_s if tally.last_due_s is None else tally.last_due_s + interval_s
    return max(until_s or 0.0, ended_s or 0.0) - tally.first_due_s


def _upto(last_s: float | None, tally: Tally, interval_s: float) -> float:
    return 0.0 if last_s is None or tally.first_due_s is None else last_s + interval_s - tally.first_due_s


def _stretch(tally: Tally, measured_s: float) -> float:
    """How much longer than the calls the answers took; 1 where the server kept up.

    Done = due + response: the slope of done over due is 1 plus that of response over due. A single slow
    answer hardly moves it. The first seconds are too few for a slope: there the span of the answers says it.
    """
    if measured_s <= 2 * LEAST_S:
        span_s = _span_s(tally)
        return max(1.0, span_s / measured_s) if measured_s else 1.0
    slope, error = _slope(tally)
    return 1.0 + slope if slope > CERTAIN * error else 1.0


def _span_s(tally: Tally) -> float:
    if tally.first_due_s is None or tally.last_done_s is None:
        return 0.0
    return tally.last_done_s - tally.first_due_s - (tally.response.min_s or 0.0)


def _slope(tally: Tally) -> tuple[float, float]:
    """Least squares: by how many seconds responses grow in a second of the run, and its standard error."""
    first = min(tally.seconds, default=0)
    points = [
        (second - first, middle_s(us), calls)
        for second, of_second in tally.seconds.items()
        for us, calls in of_second.response_us.items()
    ]
    if not points:
        return 0.0, 0.0
    due_s, response_s, calls = np.array(points, dtype=np.float64).T
    count = float(calls.sum())
    due_s -= float(np.average(due_s, weights=calls))
    response_s -= float(np.average(response_s, weights=calls))
    spread = float((calls * due_s**2).sum())
    if count < FEWEST_CALLS or not spread:
        return 0.0, 0.0
    slope = float((calls * due_s * response_s).sum()) / spread
    rest = float((calls * (response_s - slope * due_s) ** 2).sum())
    return slope, math.sqrt(rest / (count - 2) / spread)
