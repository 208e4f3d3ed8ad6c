"""What a lost worker had not reported: what was dealt to it, less the calls that it reported.

Knows arrivals and epochs; nothing of messages. In a closed loop nobody knows what it sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING

from scorebench.load.dealing import Tickets

if TYPE_CHECKING:
    from scorebench.load.arrivals import Arrivals
    from scorebench.load.dealing import Epoch

NOT_HEARD_OF = "their process was lost; some may have left"
"""The cause, among those of calls that were never sent."""
STOOD_STILL = "their process stood still until others had taken over"
"""The same, of a worker that came back."""


def not_heard_of(
    arrivals: Arrivals | None,
    epochs: Sequence[Epoch],
    most_calls: int | None,
    *,
    reported: int,
    stop_s: float,
) -> int:
    """Calls dealt in `epochs` to a worker that were due until `stop_s`, less the `reported` ones.

    `stop_s` counts from the schedule's start. 0 in a closed loop.
    """
    if arrivals is None or not epochs:
        return 0
    tickets = Tickets(arrivals, epochs[0], most_calls)
    for epoch in epochs[1:]:
        tickets.change(epoch, -inf)  # no call was sent yet
    due = sum(1 for _ in takewhile(lambda ticket: ticket[0] < stop_s, tickets))
    return max(due - reported, 0)
