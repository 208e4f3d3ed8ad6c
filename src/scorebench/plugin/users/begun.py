"""Follows the calls of Locust's own clients from their beginning. Knows HttpSession and FastHttpSession.

Locust fires its event when a call is over. A call whose user is killed, whose task gives up, or whose answer
is never judged (its `with` block raised) fires none, though the server had it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import gevent
from gevent import getcurrent
from locust.clients import HttpSession
from locust.clients import ResponseContextManager as HttpAnswer
from locust.contrib.fasthttp import FastHttpSession
from locust.contrib.fasthttp import ResponseContextManager as FastHttpAnswer
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from scorebench.answers.outcome import Outcome
from scorebench.plugin.users import waiting
from scorebench.plugin.users.failures import CUT_OFF, Ended, ended_by

if TYPE_CHECKING:
    from locust import User
    from locust.event import EventHook

NOT_SENT = (MissingSchema, InvalidSchema, InvalidURL, TypeError)
"""What a client raises before it sends anything."""
NEVER_JUDGED = Ended(Outcome.OTHER_ERROR, "answered, but its `with` block ended before it judged the answer")
BROKEN_OFF = (gevent.GreenletExit, gevent.Timeout)
"""What ends a call from outside, and passes by every `except Exception`."""


class Begun:
    """One call under way. `done_s` is None until its answer is there."""

    __slots__ = ("answer", "broken", "done_s", "is_recorded", "method", "name", "sent_s", "user")

    def __init__(self, method: str, name: str, user: User | None) -> None:
        self.method, self.name, self.user = method, name, user
        self.sent_s = clock()
        self.done_s: float | None = None
        self.broken: BaseException | None = None
        """What ended the `with` block that was to judge the answer, from outside."""
        self.is_recorded = False
        """Whether it was counted."""
        self.answer: Any = None
        """Keeps the callback that fires when nobody can judge the answer any more."""


class BegunCalls:
    """The calls that an event hook will hear of, or not: `on_unheard` gets those."""

    def __init__(self, on_unheard: Callable[[Begun, Ended], None]) -> None:
        self._on_unheard = on_unheard
        self._under_way: dict[Any, Begun] = {}
        """By the greenlet that waits for the answer."""
        self._answered: dict[int, Begun] = {}
        """By the identity of the answer, which a `with` block judges."""
        self._broken: dict[Any, BaseException] = {}
        """What broke off the `measure` block of a greenlet, whose event says that all was well."""

    def begin(self, method: str, name: str, user: User | None) -> Begun:
        """A call leaves."""
        call = self._under_way[getcurrent()] = Begun(method, name, user)
        return call

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self._under_way)

    @property
    def sent_s(self) -> list[float]:
        """When each call under way was sent."""
        return [call.sent_s for call in self._under_way.values()]

    def is_made_by(self, greenlet: Any) -> bool:
        """Whether this greenlet waits for the answer to one."""
        return greenlet in self._under_way

    def is_under_way(self, user: User) -> bool:
        """Whether a call of this user is, in whatever greenlet."""
        return any(call.user is user for call in self._under_way.values())

    def heard(self, answer: object) -> Begun | None:
        """The call that an event with this answer belongs to, where one of Locust's clients made it."""
        return self._answered.pop(id(answer), None) or self._under_way.pop(getcurrent(), None)

    def broken_off(self) -> BaseException | None:
        """What ended the `measure` block whose event is fired just now; None where it came to its end."""
        return self._broken.pop(getcurrent(), None)

    def ended(self, call: Begun, problem: BaseException) -> None:
        """The client raised, and fired no event."""
        if self._under_way.pop(getcurrent(), None) is not call or isinstance(problem, NOT_SENT):
            return
        self._unheard(call, _broken_by(problem))

    def answered(self, call: Begun, answer: Any) -> None:
        """The client gave the answer to a `with` block; the event comes at the block's end, if it does."""
        if self._under_way.pop(getcurrent(), None) is not call:
            return  # its event came
        call.done_s = clock()
        response = getattr(answer, "request_meta", {}).get("response", answer)
        key = id(response)
        self._answered[key] = call
        call.answer = weakref.ref(response, lambda _: self._lost(key))

    def break_off(self, response: object, problem: BaseException) -> None:
        """The `with` block of that answer is left, since somebody killed it or its time was up."""
        call = self._answered.get(id(response))
        if call is not None:
            call.broken = problem

    def _lost(self, key: int) -> None:
        call = self._answered.pop(key, None)
        if call is not None:
            self._not_judged(call)

    def _not_judged(self, call: Begun) -> None:
        if call.broken is None:
            self._unheard(call, NEVER_JUDGED)
        else:
            call.done_s = clock()
            self._unheard(call, _broken_by(call.broken))

    def end(self) -> None:
        """The test is over: what is still under way is cut off, and what was answered was not judged."""
        for call in list(self._under_way.values()):
            self._unheard(call, CUT_OFF)
        for call in list(self._answered.values()):
            self._not_judged(call)
        self._answered.clear()

    def _unheard(self, call: Begun, ended: Ended) -> None:
        if not call.is_recorded:
            call.is_recorded = True
            self._on_unheard(call, ended)

    @contextmanager
    def measuring(self, measured: Any) -> Iterator[Any]:
        """Locust's `measure`, whose event takes a kill or a timeout for success."""
        with measured as meta:
            try:
                yield meta
            except BROKEN_OFF as problem:
                self._broken[getcurrent()] = problem
                raise


def _broken_by(problem: BaseException) -> Ended:
    return CUT_OFF if isinstance(problem, gevent.GreenletExit) else ended_by(problem)


_followed: weakref.WeakKeyDictionary[Any, BegunCalls] = weakref.WeakKeyDictionary()
"""By event hook."""


def follow(hook: EventHook, calls: BegunCalls) -> None:
    """Have `calls` know each call whose client fires `hook`."""
    _followed[hook] = calls
    original = hook.measure
    hook.measure = lambda *args, **kwargs: calls.measuring(original(*args, **kwargs))  # type: ignore[method-assign]


def _followed_by(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def request(session: Any, method: Any, url: Any, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        calls = _followed.get(session.request_event)
        if calls is None:
            return original(session, method, url, name, *args, **kwargs)
        call = calls.begin(_text(method), _text(name or session.request_name or url), session.user)
        try:
            answer = original(session, method, url, name, *args, **kwargs)
        except BaseException as problem:
            calls.ended(call, problem)
            raise
        calls.answered(call, answer)
        if kwargs.get("stream"):
            waiting.keep_streamed(answer)
        return answer

    return request


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _left(original: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(original)
    def leave(answer: Any, kind: Any, value: Any, trace: Any) -> bool:
        if isinstance(value, BROKEN_OFF):
            calls = _followed.get(answer._request_event)
            if calls is not None:
                calls.break_off(answer.request_meta["response"], value)
        return original(answer, kind, value, trace)

    return leave


for _client in (HttpSession, FastHttpSession):
    _client.request = _followed_by(_client.request)  # type: ignore[method-assign]
for _answer in (HttpAnswer, FastHttpAnswer):
    _answer.__exit__ = _left(_answer.__exit__)  # type: ignore[method-assign]
