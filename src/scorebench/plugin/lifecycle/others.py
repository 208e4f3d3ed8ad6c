"""Users of other classes, in one process: their calls in batches, and events besides calls.

Knows what the request event told, and the session that counts; nothing of who reports.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gevent import Greenlet
from locust import User

from scorebench.answers.outcome import Outcome
from scorebench.plugin.users import owners, plain
from scorebench.plugin.users.session import Session
from scorebench.plugin.users.user import ScoringUser
from scorebench.recordings.calls import UNKNOWN_USER
from scorebench.recordings.happenings import OUTSIDE_THE_TEST, OWN_LIMIT
from scorebench.recordings.types import Event

if TYPE_CHECKING:
    from locust.env import Environment

_NUMBER = "scorebench_number"


class Others:
    """What other users do, from test to test. A call outside of a test is in no figure, but counted."""

    def __init__(self, environment: Environment) -> None:
        self._heard = plain.hear(environment.events.request)
        self._outside = self._taken = 0
        if environment.runner is not None:
            owners.follow(environment.runner, self._on_broken_off)

    def open(self) -> None:
        """A test starts, and nobody else has heard of it yet: what was heard until now was before it."""
        self.leave_out()
        self._taken = 0

    @property
    def done(self) -> int:
        """Calls that ended since the test started."""
        return self._taken + self._heard.waiting

    @property
    def in_flight(self) -> int:
        """Calls of Locust's own clients that are under way; of other clients nobody knows."""
        return self._heard.begun.in_flight

    @property
    def sent_s(self) -> list[float]:
        """When each of these was sent."""
        return self._heard.begun.sent_s

    def leave_out(self) -> None:
        """Count what was heard since the last batch as outside of a test."""
        self._outside += len(self._heard.take())

    def forget(self) -> None:
        """Drop the calls since the last batch: Locust's statistics were reset."""
        self._taken += len(self._heard.take())

    def stopping(self) -> None:
        """The test is about to end, and its users are still there."""
        self._heard.stopping()

    def close(self, *, in_background: bool) -> None:
        """All users are gone: what they left under way is cut off, `in_background` too."""
        self._heard.end(in_background=in_background)

    def take(self, session: Session) -> plain.Batch | None:
        """The calls since the last time; None where there were none."""
        calls = self._heard.take()
        if not calls:
            return None
        self._taken += len(calls)
        for outcome, why, is_own_limit in (one.ended for one in calls):
            if outcome not in (Outcome.VALID, Outcome.NO_RESPONSE_TIME):
                session.counting.add_example(outcome, why)
            if is_own_limit:
                session.counting.note(OWN_LIMIT, why)
        return plain.batch(calls, lambda user: _number(session, user), session.counting.epoch_s)

    def take_events(self) -> list[Event]:
        """What a recording should know besides calls, since the last time."""
        outside, self._outside = self._outside, 0
        return [Event(t_s=time.time(), what=OUTSIDE_THE_TEST, why=str(outside))] if outside else []

    def _on_broken_off(self, user: User, greenlet: Greenlet, error: BaseException) -> None:
        if not isinstance(user, ScoringUser):
            self._heard.broken_off(user, greenlet, error)


def _number(session: Session, user: User | None) -> int:
    """The user's number, among those of our own users."""
    if user is None:
        return UNKNOWN_USER
    number = getattr(user, _NUMBER, None)
    if number is None:
        number = session.sending.next_number()
        setattr(user, _NUMBER, number)
    return int(number)
