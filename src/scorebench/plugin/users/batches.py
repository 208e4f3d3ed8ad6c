"""The custom event: four times a second the calls since then become columns and go to their listeners.

Knows Locust's events and the session; nothing of what the listeners do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from locust.event import EventHook

from scorebench.plugin.users.session import Session

if TYPE_CHECKING:
    from locust.env import Environment

    from scorebench.plugin.users.plain import Batch

PERIOD_S = 0.25
TakeOthers = Callable[[Session], "Batch | None"]


def _nothing(_session: Session) -> None:
    return None


def calls_event(environment: Environment) -> Any:
    """`environment.events.calls`: fired with `session`, `calls` (recordings.calls.Calls) and `names`.

    `names[calls.payload]` is what a call of other users was; None for calls of ours.
    """
    events: Any = environment.events
    if not hasattr(events, "calls"):
        events.calls = EventHook()
    return events.calls


def fire(environment: Environment, session: Session, take_others: TakeOthers = _nothing) -> None:
    """Hand the calls since the last time to the listeners; `take_others` has those of users not ours."""
    calls = session.counting.take_calls()
    if calls is not None:
        calls_event(environment).fire(session=session, calls=calls, names=None)
    others = take_others(session)  # not before: what was taken and not yet counted would survive a reset
    if others is not None:
        calls_event(environment).fire(session=session, calls=others.calls, names=others.names)


def fire_regularly(environment: Environment, session: Session, take_others: TakeOthers = _nothing) -> None:
    """Fire until the session is over; for a greenlet of its own."""
    while not session.sending.over.wait(PERIOD_S):
        session.counting.make_way()
        fire(environment, session, take_others)
