"""Counts the calls of users that are not ours, whatever their client is. Knows Locust's request event.

Each event is a call of one row, valid unless Locust calls it failed: the locustfile judges its answers, not
we. Calls that Locust's own clients began and for which no event fires are counted too, and those of other
clients that somebody broke off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent
import numpy as np
from locust import User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from scorebench.answers.answer import of_status
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.plugin.users import begun
from scorebench.plugin.users.failures import CUT_OFF, VALID, Ended, ended_by
from scorebench.plugin.users.owners import busy_from_now, current_user
from scorebench.plugin.users.suspects import Suspect, Suspects
from scorebench.recordings.calls import Calls, from_numbers, tag
from scorebench.recordings.requests import Name

if TYPE_CHECKING:
    from locust.event import EventHook

NOT_KNOWN = "?"
"""In place of the method of a call that nobody reported."""
UNREADABLE = "its event can't be read"
_BORN_S = clock()
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

    def __init__(self, hook: EventHook) -> None:
        self._calls: deque[PlainCall] = deque()
        self.begun = begun.BegunCalls(self._add_unheard)
        self._suspects = Suspects(
            self._add_suspect, self.begun.is_made_by, lambda user: user.environment.events.request is hook
        )
        self._with_other_clients: set[type[User]] = set()
        """Whose calls were reported by another client than one of Locust's."""

    def take(self) -> list[PlainCall]:
        """The calls since the last time."""
        self._suspects.settle()
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
        try:
            self._hear(request, context, done_s)
        except Exception as problem:  # what a locustfile passes may raise wherever it is looked at
            why = f"{UNREADABLE}: {type(problem).__name__}"
            unread = Ended(Outcome.OTHER_ERROR, why)
            self._calls.append(PlainCall(NOT_KNOWN, UNREADABLE, current_user(), done_s, done_s, unread))

    def _hear(self, request: dict[str, Any], context: Any, done_s: float) -> None:
        took_s, timed = _took_s(request.get("response_time"), done_s)
        method, name = str(request.get("request_type")), str(request.get("name"))
        call = self.begun.heard(request.get("response"))
        if call.is_recorded if call else self._suspects.is_counted(done_s - took_s):
            return  # cut off when the test ended
        ended = _ended(request, self.begun.broken_off())
        if ended is VALID and not timed:
            ended = Ended(Outcome.NO_RESPONSE_TIME)
        user = _user(context, call)
        if call is not None:
            call.is_recorded = True
        else:
            ended = self._suspects.reported(done_s - took_s, ended)
            if user is not None:
                self._with_other_clients.add(type(user))
        busy_from_now()
        self._calls.append(PlainCall(method, name, user, done_s - took_s, done_s, ended))

    def broken_off(self, user: User, greenlet: gevent.Greenlet, error: BaseException) -> None:
        """A kill, or a timeout, is about to end what this greenlet of the user waits for."""
        self._suspects.broken_off(greenlet, user, error, in_doubt=self._may_call_unseen(user))

    def _may_call_unseen(self, user: User) -> bool:
        """Whether a user that waits for another greenlet may have a call that no stack shows."""
        all_seen = isinstance(getattr(user, "client", None), (HttpSession, FastHttpSession))
        return not (all_seen and type(user) not in self._with_other_clients) and not self.begun.is_under_way(
            user
        )

    def stopping(self) -> None:
        """The test is about to end, and its users are still there."""
        self._suspects.stopping()

    def end(self, *, in_background: bool) -> None:
        """All users are gone: what they left under way is cut off, and so is what greenlets of theirs do."""
        self.begun.end()
        self._suspects.end(in_background=in_background)

    def _add_suspect(self, one: Suspect) -> None:
        name = f"{type(one.user).__name__}, {one.what}"
        self._calls.append(PlainCall(NOT_KNOWN, name, one.user, one.sent_s, one.seen_s, one.ended))

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
    heard = Heard(hook)
    hook._handlers.insert(0, heard.listen)
    begun.follow(hook, heard.begun)
    return heard


def _user(context: Any, call: begun.Begun | None) -> User | None:
    """The client's owner, a user in the event's context, or the one whose greenlet this is."""
    if call is not None and call.user is not None:
        return call.user
    named = context.values() if isinstance(context, dict) else ()
    return next((value for value in named if isinstance(value, User)), None) or current_user()


def _took_s(response_time_ms: Any, done_s: float) -> tuple[float, bool]:
    """(seconds, whether a time was reported): a message without an answer has none.

    A time that can't be is none either: no number, negative, or longer than this process has known Locust.
    """
    try:
        took_s = float(response_time_ms) / 1e3
    except (TypeError, ValueError, OverflowError):
        return 0.0, False
    return (took_s, True) if 0.0 <= took_s <= done_s - _BORN_S else (0.0, False)


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
