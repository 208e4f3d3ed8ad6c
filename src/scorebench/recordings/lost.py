"""What a lost worker had not reported: its share of the schedule, less the calls that it reported.

Knows arrivals and recordings; nothing of messages. In a closed loop nobody knows what it sent.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorebench.load.arrivals import Arrivals
    from scorebench.recordings.recording import Recording

NOT_HEARD_OF = "their process was lost; some may have left"
"""The cause, among those of calls that were never sent."""


def not_heard_of(
    recording: Recording,
    arrivals: Arrivals | None,
    most_calls: int | None,
    *,
    worker: int,
    workers: int,
    stop_s: float,
) -> int:
    """Calls of `worker` that were due until `stop_s` and are in no report; 0 in a closed loop."""
    phases = (recording.warm_up, recording.measured)
    begins = [phase.first_due_s for phase in phases if phase.first_due_s is not None]
    if arrivals is None or not begins:
        return 0
    length_s = stop_s - min(begins)
    mine = arrivals.share(worker, workers).due_times()
    due = sum(1 for _ in takewhile(lambda due_s: due_s < length_s, mine))
    if most_calls is not None:
        due = min(due, len(range(worker, most_calls, workers)))
    reported = sum(user.calls for phase in phases for (of, _), user in phase.users.items() if of == worker)
    return max(due - reported, 0)
