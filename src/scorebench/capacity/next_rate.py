"""Next rate: the steps so far → the rate to try next, or why the search is over. Knows no budget, no clock.

The rate goes up and down by the worst margin until the highest rate that held and the lowest that failed are
close. A failure is believed when it comes twice, and both edges are measured again before the search ends.
"""

from __future__ import annotations

from scorebench.capacity.found import Ended
from scorebench.capacity.history import History
from scorebench.capacity.trial import CLEAR_MARGIN, NOT_FOLLOWED, Tried

FIRST_SHARE, LOWEST_SHARE = 0.6, 0.1
"""Of the ladder's throughput: the first rate, and the rate below which the search gives up."""


def next_rate(history: History, precision: float) -> tuple[float, str] | Ended:
    """The next rate and why it is next; or, once there is none, why the search ended."""
    held, above = history.held, history.above
    if undecided := next((t for t in history.tried if t.undecided), None):
        return undecided.rate_per_s, "again: is it so?"
    if held and above:
        return _closer(history, held, above, precision)
    if held:
        return _up(history, held), "held: higher"
    if above is None:
        return _first(history), "first guess"
    if above.rate_per_s > _lowest(history) * 1.01:
        return _down(history, above), "failed: lower"
    return Ended.NOT_VALID if above.is_wall else Ended.NOTHING_HELD


def closed(history: History, precision: float) -> Ended | None:
    """What was found when the rate that held and the one that failed are close; None while they are not."""
    held, above = history.held, history.above
    if held is None or above is None or above.rate_per_s > held.rate_per_s * (1 + precision):
        return None
    if above.is_wall:
        return Ended.NOT_VALID
    return Ended.NOTHING_BROKE if above.broke == (NOT_FOLLOWED,) else Ended.FOUND


def _closer(history: History, held: Tried, above: Tried, precision: float) -> tuple[float, str] | Ended:
    found = closed(history, precision)
    if found is None:
        return _between(held, above), "between"
    if loose := next((edge for edge in (held, above) if not edge.is_settled), None):
        return loose.rate_per_s, "again at the edge"
    return found


def _first(history: History) -> float:
    """Far below the usual when a single user, who never waits, breaks a limit already."""
    alone = next((step.margin for step in history.rungs if step.plan.users == 1), None)
    hopeless = alone is not None and alone < 0
    return _lowest(history) if hopeless else FIRST_SHARE * history.top_per_s


def _lowest(history: History) -> float:
    return LOWEST_SHARE * history.top_per_s


def _up(history: History, held: Tried) -> float:
    """To where the margin is 0, if it is -1 at the ladder's throughput and falls in a straight line."""
    rate, top = held.rate_per_s, history.top_per_s
    if rate >= top:
        return rate * 1.15
    margin = CLEAR_MARGIN if held.margin is None else held.margin
    guess = rate + (top - rate) * margin / (margin + 1)
    return min(max(guess, rate * 1.1), rate * 1.6)


def _down(history: History, above: Tried) -> float:
    rate, margin, top = above.rate_per_s, above.margin, history.top_per_s
    guess = rate / 2
    if margin is not None and margin > -1 and rate < top:
        guess = rate + (top - rate) * margin / (margin + 1)
    return max(min(max(guess, 0.3 * rate), 0.9 * rate), _lowest(history))


def _between(held: Tried, above: Tried) -> float:
    """Where a straight line between the two margins crosses 0, but never close to either end."""
    share = 0.5
    if held.margin is not None and above.margin is not None and above.margin < 0 <= held.margin:
        share = held.margin / (held.margin - above.margin)
    return held.rate_per_s + (above.rate_per_s - held.rate_per_s) * min(max(share, 0.2), 0.8)
