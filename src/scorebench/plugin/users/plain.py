"""Counts the calls of users that are not ours, whatever their client is. Knows Locust's request event.

Each event is a call of one row, valid unless Locust calls it failed: the locustfile judges its answers, not
we. Calls that Locust's own clients began and for which no event fires are counted too. Of other clients
nobody knows: a user that is killed while it waits for something had a call under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent
import numpy as np
from gevent import getcurrent
from locust import User

from scorebench.answers.answer import of_status
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.plugin.users import begun
from scorebench.plugin.users.failures import CUT_OFF, VALID, Ended, ended_by
from scorebench.plugin.users.owners import busy_from_now, busy_since_s, current_user
from scorebench.recordings.calls import Calls, from_numbers, tag
from scorebench.recordings.requests import Name

if TYPE_CHECKING:
    from locust.event import EventHook

NOT_KNOWN = "?"
"""In place of the method of a call that nobody reported."""
OURS = "scorebench"
"""The key in an event's context that marks a call of ours, which is counted already."""


class PlainCall(NamedTuple):
    """One call. Times are seconds of `time.perf_counter`."""

    method: str
    name: str
    user: User | None
    """None if not known: the call came from a thread, or from no user at all."""
    sent_s: float
    done_s: float
    ended: Ended


class Heard:
    """The calls that a request event reported and that were not taken yet. Threads may report at any time."""

    def __init__(self) -> None:
        self._calls: deque[PlainCall] = deque()
        self._killed: dict[User, tuple[gevent.Greenlet, PlainCall]] = {}
        """The call that a killed user may have under way, unless it still reports one."""
        self.begun = begun.BegunCalls(self._add_unheard)

    def take(self) -> list[PlainCall]:
        """The calls since the last time."""
        taken = []
        while self._calls:
            taken.append(self._calls.popleft())
        return taken

    @property
    def waiting(self) -> int:
        """Calls that were not taken yet."""
        return len(self._calls)

    def listen(self, **request: Any) -> None:
        """Keep one request. Never raises: an event that can't be read is a call all the same."""
        context = request.get("context")
        if isinstance(context, dict) and context.get(OURS):
            return
        done_s = clock()
        call = self.begun.heard(request.get("response"))
        if call is not None:
            if call.is_recorded:
                return  # cut off when the test ended
            call.is_recorded = True
        ended = _ended(request, self.begun.broken_off())
        took_s, timed = _took_s(request.get("response_time"))
        if ended is VALID and not timed:
            ended = Ended(Outcome.NO_RESPONSE_TIME)
        user = _user(context, call)
        if user is not None:
            busy_from_now(user)
            if self._killed.pop(user, (None,))[0] is getcurrent():
                ended = CUT_OFF  # reported in its last moments, as by `finally`
        method, name = str(request.get("request_type")), str(request.get("name"))
        self._calls.append(PlainCall(method, name, user, done_s - took_s, done_s, ended))

    def killed(self, user: User, greenlet: gevent.Greenlet) -> None:
        """The user is killed while it waits for something that is no call of one of Locust's clients."""
        if not self.begun.is_under_way(user):
            name = f"{type(user).__name__}, stopped in a task"
            call = PlainCall(NOT_KNOWN, name, user, busy_since_s(user), clock(), CUT_OFF)
            self._killed[user] = greenlet, call

    def end(self) -> None:
        """All users are gone: what they left under way is cut off."""
        self.begun.end()
        self._calls.extend(call for _, call in self._killed.values())
        self._killed.clear()

    def _add_unheard(self, call: begun.Begun, ended: Ended) -> None:
        user = call.user or current_user()
        done_s = call.done_s or clock()
        self._calls.append(PlainCall(call.method, call.name, user, call.sent_s, done_s, ended))


def hear(hook: EventHook) -> Heard:
    """Listen to `hook` from now on, before all other listeners: one of them may end the event by raising."""
    for handler in hook._handlers:
        heard = getattr(handler, "__self__", None)
        if isinstance(heard, Heard):
            return heard
    heard = Heard()
    hook._handlers.insert(0, heard.listen)
    begun.follow(hook, heard.begun)
    return heard


def _user(context: Any, call: begun.Begun | None) -> User | None:
    """The client's owner, a user in the event's context, or the one whose greenlet this is."""
    if call is not None and call.user is not None:
        return call.user
    named = context.values() if isinstance(context, dict) else ()
    return next((value for value in named if isinstance(value, User)), None) or current_user()


def _took_s(response_time_ms: Any) -> tuple[float, bool]:
    """(seconds, whether a time was reported): a message without an answer has none."""
    try:
        return float(response_time_ms) / 1e3, True
    except (TypeError, ValueError):
        return 0.0, False


def _ended(request: dict[str, Any], broken_off: BaseException | None) -> Ended:
    if isinstance(broken_off, gevent.GreenletExit):
        return CUT_OFF
    error = broken_off or request.get("exception")
    if not error:  # as Locust asks
        return VALID
    response = request.get("response")
    status = _status(response, error)
    if status >= 400:
        body = getattr(response, "content", None)
        answer = Answer(status, "", body if isinstance(body, bytes) else b"")
        return Ended(of_status(answer), str(error))
    return ended_by(error, getattr(response, "error", None))


def _status(response: Any, error: Any) -> int:
    """The HTTP status that a client reports with its answer, or with its error as urllib and botocore do."""
    aws = getattr(error, "response", None)
    in_aws = aws.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(aws, dict) else None
    statuses = (getattr(response, "status_code", None), getattr(error, "code", None), in_aws)
    return next((status for status in statuses if isinstance(status, int) and status), 0)


class Batch(NamedTuple):
    """Calls as columns; `names[calls.payload]` is the method and name of each."""

    names: list[Name]
    calls: Calls


def batch(calls: Sequence[PlainCall], number_of: Callable[[User | None], int], epoch_s: float) -> Batch:
    """`calls` as columns. `epoch_s` turns `time.perf_counter` into Unix time."""
    names: dict[Name, int] = {}
    numbers = [
        number
        for one in calls
        for number in (
            one.sent_s,
            one.sent_s,
            one.done_s,
            tag(number_of(one.user), one.ended.outcome),
            names.setdefault((one.method, one.name), len(names)),
        )
    ]
    return Batch(list(names), from_numbers(numbers, np.ones(len(names), dtype=np.int64), epoch_s))
