"""Feeds Locust's own statistics from batches, so that its page, tables, CSV and exit code work as ever.

Knows Locust's StatsEntry; a batch is merged the way Locust merges the report of a worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from locust.stats import RequestStats, StatsEntry, bucket_response_time

from scorebench.answers.outcome import Outcome
from scorebench.recordings.calls import Calls

if TYPE_CHECKING:
    from locust.env import Environment

METHOD = "POST"


def feed(environment: Environment, name: str, calls: Calls) -> None:
    """Count a batch as requests called `name`; response times in milliseconds, from due to done."""
    listeners = request_listeners(environment)
    if listeners:
        _fire_each(environment, name, calls)
        return
    stats: RequestStats = environment.stats
    batch = _entry(stats, name, calls)
    for entry in (stats.total, stats.get(name, METHOD)):
        entry.extend(batch)
    for outcome, count in zip(*np.unique(calls.outcome, return_counts=True), strict=True):
        if outcome != Outcome.VALID:
            _add_errors(stats, name, Outcome(outcome).label, int(count))


def request_listeners(environment: Environment) -> list[Any]:
    """Who listens to each request besides Locust's runner and scorebench, such as Locust's CSV logger."""
    handlers = environment.events.request._handlers
    known = ("locust.runners", "scorebench.")
    return [h for h in handlers if not (getattr(h, "__module__", None) or "").startswith(known)]


def _entry(stats: RequestStats, name: str, calls: Calls) -> StatsEntry:
    entry = StatsEntry(stats, name, METHOD)
    times_ms = (calls.done_s - calls.due_s) * 1e3
    entry.start_time = float(calls.sent_s.min())
    entry.last_request_timestamp = float(calls.done_s.max())
    entry.num_requests = len(calls)
    entry.num_failures = int(np.count_nonzero(calls.outcome != Outcome.VALID))
    entry.total_response_time = float(times_ms.sum())  # type: ignore[assignment]
    entry.min_response_time = float(times_ms.min())  # type: ignore[assignment]
    entry.max_response_time = float(times_ms.max())  # type: ignore[assignment]
    # Locust rounds each time by its own rule; times alike to 0.1 ms are rounded once.
    for time_ms, count in _counted(np.round(times_ms, 1)):
        entry.response_times[bucket_response_time(time_ms)] += count
    for second, count in _counted(calls.done_s.astype(np.int64)):
        entry.num_reqs_per_sec[second] += count
    for second, count in _counted(calls.done_s[calls.outcome != Outcome.VALID].astype(np.int64)):
        entry.num_fail_per_sec[second] += count
    return entry


def _counted(values: Any) -> list[tuple[Any, int]]:
    found, counts = np.unique(values, return_counts=True)
    return list(zip(found.tolist(), counts.tolist(), strict=True))


def _add_errors(stats: RequestStats, name: str, label: str, count: int) -> None:
    from locust.stats import StatsError

    key = StatsError.create_key(METHOD, name, label)
    if key not in stats.errors:
        stats.errors[key] = StatsError(METHOD, name, label)
    stats.errors[key].occurrences += count - 1
    stats.errors[key].occurred()


def _fire_each(environment: Environment, name: str, calls: Calls) -> None:
    """Somebody listens to each request: then each is fired, and Locust counts them as its own."""
    for due_s, done_s, outcome in zip(
        calls.due_s.tolist(), calls.done_s.tolist(), calls.outcome.tolist(), strict=True
    ):
        environment.events.request.fire(
            request_type=METHOD,
            name=name,
            response_time=(done_s - due_s) * 1e3,
            response_length=0,
            exception=None if outcome == Outcome.VALID else Exception(Outcome(outcome).label),
            context={"scorebench": True},
            start_time=due_s,
        )
