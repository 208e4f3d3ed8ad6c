"""The custom event: four times a second the calls since then become columns and go to their listeners.

Knows Locust's events and the session; nothing of what the listeners do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust.event import EventHook

from scorebench.plugin.users.session import Session

if TYPE_CHECKING:
    from locust.env import Environment

PERIOD_S = 0.25


def calls_event(environment: Environment) -> Any:
    """`environment.events.calls`: fired with `session` and `calls` (scorebench.recordings.calls.Calls)."""
    events: Any = environment.events
    if not hasattr(events, "calls"):
        events.calls = EventHook()
    return events.calls


def fire(environment: Environment, session: Session) -> None:
    """Hand the calls since the last time to the listeners."""
    calls = session.counting.take_calls()
    if calls is not None:
        calls_event(environment).fire(session=session, calls=calls)


def fire_regularly(environment: Environment, session: Session) -> None:
    """Fire until the session is over; for a greenlet of its own."""
    while not session.sending.over.wait(PERIOD_S):
        session.counting.make_way()
        fire(environment, session)
