"""A run so far → the figures shown while it runs. Knows tallies; no clock, no Locust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from scorebench.answers.outcome import Outcome
from scorebench.figures.percentiles import HEADLINE, QUANTILES, calls_needed, percentile

if TYPE_CHECKING:
    from scorebench.recordings.histogram import Histogram
    from scorebench.recordings.recording import Recording

RECENT_S = 3
"""Current rates are taken over this many whole seconds."""


@dataclass(frozen=True)
class Live:
    """Times are response times of valid calls in seconds; None is what too few calls support.

    `of_s` and `of_calls` are what the run is to last, None where it has no such end.
    """

    elapsed_s: float
    of_s: float | None
    of_calls: int | None
    users: int | None
    calls: int
    """Includes the warm-up."""
    valid: int
    warming_up: bool
    throughput_per_s: float | None
    """Valid answers a second over the last few whole seconds."""
    due_per_s: float | None
    sent_per_s: float | None
    offered_per_s: float | None
    """What the arrivals ask for now, whether or not it was sent; None in a closed loop."""
    percentiles_s: Mapping[str, float | None]
    max_s: float | None
    lag_p99_s: float | None
    late: int
    outcomes: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def share_done(self) -> float | None:
        """Between 0 and 1, by the time or by the calls, whichever is nearer to its end."""
        parts = [self.elapsed_s / self.of_s] if self.of_s else []
        parts += [self.calls / self.of_calls] if self.of_calls else []
        return min(max(parts), 1.0) if parts else None


def look(
    recording: Recording,
    *,
    now_s: float,
    started_s: float,
    of_s: float | None = None,
    of_calls: int | None = None,
    users: int | None = None,
    offered_per_s: float | None = None,
    behind_s: int = 1,
) -> Live:
    """What `recording` holds at `now_s` (Unix seconds); cheap enough to be asked each second.

    `behind_s` is how long it takes until all calls of a second are in it; longer where workers report them.
    """
    measured, warm_up = recording.measured, recording.warm_up
    known_s = int(now_s) - behind_s
    due, sent, valid = _recent(recording, range(max(ceil(started_s), known_s - RECENT_S), known_s))
    return Live(
        elapsed_s=max(now_s - started_s, 0.0),
        of_s=of_s,
        of_calls=of_calls,
        users=users,
        calls=measured.calls + warm_up.calls,
        valid=measured.valid + warm_up.valid,
        warming_up=bool(warm_up.calls) and not measured.calls,
        throughput_per_s=valid,
        due_per_s=due,
        sent_per_s=sent,
        offered_per_s=offered_per_s,
        percentiles_s=_percentiles(measured.response),
        max_s=measured.response.max_s,
        lag_p99_s=_percentiles(measured.lag)["p99"],
        late=measured.late,
        outcomes={o.label: calls for o, calls in (measured.outcomes + warm_up.outcomes).most_common()},
    )


def _percentiles(histogram: Histogram) -> dict[str, float | None]:
    values_s, counts = histogram.table()
    return {
        name: percentile(values_s, counts, QUANTILES[name])
        if histogram.count >= calls_needed(QUANTILES[name])
        else None
        for name in HEADLINE
    }


def _recent(recording: Recording, window: range) -> tuple[float | None, float | None, float | None]:
    """Calls due, sent and validly answered a second in whole seconds, which must be fully counted by now."""
    if not window:
        return None, None, None
    found = [
        tally.seconds[second]
        for tally in (recording.measured, recording.warm_up)
        for second in window
        if second in tally.seconds
    ]
    due, sent = sum(second.due for second in found), sum(second.sent for second in found)
    valid = sum(second.done.get(Outcome.VALID.label, 0) for second in found)
    return due / len(window), sent / len(window), valid / len(window)
