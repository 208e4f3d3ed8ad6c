"""Lets any other Locust user, HttpUser included, enter the same event. Knows events.request.

A locustfile that only imports the plugin gets the same tables: its requests become calls, one row each,
valid unless Locust calls them failed, for their answers are judged by the locustfile and not by us.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gevent import getcurrent

from scorebench.answers.answer import of_status
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.plugin.users.session import session_of
from scorebench.recordings.calls import tag

if TYPE_CHECKING:
    from locust.env import Environment

_NUMBER = "scorebench_number"


def listen(environment: Environment) -> None:
    """Append each request that is not scorebench's own to the calls of the run."""

    def on_request(**request: Any) -> None:
        if (request.get("context") or {}).get("scorebench"):
            return
        session = session_of(environment)
        done = time.perf_counter()
        began = done - float(request["response_time"] or 0.0) / 1e3
        number = _user_number(session)
        outcome = _outcome(session, request)
        session.counting.numbers.extend((began, began, done, tag(number, outcome), 0.0))

    environment.events.request.add_listener(on_request)


def _user_number(session: Any) -> int:
    """The number of the user that is running: Locust gives a greenlet its user as first argument."""
    user = next(iter(getattr(getcurrent(), "args", ())), None)
    if user is None:
        return 0
    if not hasattr(user, _NUMBER):
        setattr(user, _NUMBER, session.sending.next_user())
    return int(getattr(user, _NUMBER))


def _outcome(session: Any, request: dict[str, Any]) -> Outcome:
    error = request.get("exception")
    if error is None:
        return Outcome.VALID
    status = getattr(request.get("response"), "status_code", 0) or 0
    body = getattr(request.get("response"), "content", None) or b""
    outcome = of_status(Answer(status, "", body)) if status >= 400 else Outcome.OTHER_ERROR
    session.counting.pending.add_example(outcome.label, str(error))
    return outcome
