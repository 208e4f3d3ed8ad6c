"""What was due in each second, where calls were never sent. Knows arrivals; draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.load import arrivals

if TYPE_CHECKING:
    from scorebench.figures.timeline import Second
    from scorebench.recordings.recording import Recording


def with_what_was_due(seconds: Sequence[Second], recording: Recording) -> Sequence[Second]:
    """The seconds, each with the calls that the arrivals had due in it.

    A call that was never sent is in no second of the recording. So where there are some, the recorded
    `--arrivals` and `--rate` say what was due: the rate in the middle of the second. Seconds stay as they
    are in a closed loop, and where the due times stood in a file, which may be gone.
    """
    facts = recording.environment
    started_s, spec = facts.get("started_s"), facts.get("arrivals")
    if not sum(recording.never_sent.values()) or not isinstance(spec, str) or started_s is None:
        return seconds
    if "replay" in spec or "recorded" in spec:
        return seconds
    try:
        due = arrivals.parse(spec, facts.get("offered_rate_per_s"), facts.get("run_time_s"), 0)
    except InputError:
        return seconds
    return [one._replace(due=round(due.rate_at(one.unix_s + 0.5 - started_s))) for one in seconds]
