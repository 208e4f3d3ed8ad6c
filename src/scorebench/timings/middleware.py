"""Times the stages of each call inside an ASGI application. Knows ASGI and a clock; no MLflow."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from time import perf_counter as clock
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from scorebench.timings.names import TOTAL, WORKER

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
P = ParamSpec("P")
T = TypeVar("T")

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""What a name may be made of: a token (RFC 9110, 5.6.2)."""


class _Call:
    """One call: when it came, and how long each of its stages took until now."""

    __slots__ = ("_stages", "began_s", "body_s", "in_a_stage")

    def __init__(self) -> None:
        self.began_s = self.body_s = clock()
        self.in_a_stage = False
        self._stages: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        self._stages[name] = self._stages.get(name, 0.0) + seconds

    def header(self) -> bytes:
        """The value of `Server-Timing`: milliseconds, as the standard advises."""
        # A copy: where MLflow gave up waiting, its thread still adds to the stages.
        stages = {TOTAL: clock() - self.began_s, **self._stages}
        metrics = [f"{name};dur={1e3 * seconds:.3f}" for name, seconds in stages.items()]
        return ", ".join([*metrics, f"{WORKER};desc={os.getpid()}"]).encode("ascii")


_current: ContextVar[_Call | None] = ContextVar("scorebench_call", default=None)
"""The call that this task, or a thread that it waits for, works on (asyncio.to_thread hands it on)."""


class ServerTiming:
    """ASGI middleware that adds `Server-Timing` to each answer; bodies and other headers stay as they are.

    It tells `total`, from the call of `app` to the start of its answer, `read`, the waits for the request's
    body, and every `stage` in between. Put it outermost, so that it sees all of your application.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = _Call()

        async def timed_receive() -> Message:
            began_s = clock()
            message = await receive()
            if message["type"] == "http.request":  # the wait for a client to hang up is no stage
                call.body_s = clock()
                call.add("read", call.body_s - began_s)
            return message

        async def timed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"server-timing", call.header())]
                message = {**message, "headers": headers}
            await send(message)

        token = _current.set(call)
        try:
            await self.app(scope, timed_receive, timed_send)
        finally:
            _current.reset(token)


class stage:
    """Time a part of your application: `with stage("predict"): …`.

    Outside a call, and inside another stage of the same call, it does nothing. So stages never overlap, as
    long as a call takes them one after the other. ValueError for a name that a header can't hold.
    """

    def __init__(self, name: str) -> None:
        if not name or len(name) > 40 or not set(name) <= _TOKEN:
            raise ValueError(f"stage {name!r}: expected 1 to 40 letters, digits, '-', '_' or '.'")
        self._name = name

    def __enter__(self) -> None:
        call = _current.get()
        self._call = None if call is None or call.in_a_stage else call
        if self._call is not None:
            self._call.in_a_stage = True
        self._began_s = clock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._call is not None:
            self._call.add(self._name, clock() - self._began_s)
            self._call.in_a_stage = False


def timed(function: Callable[P, T], name: str) -> Callable[P, T]:
    """`function`, timed as a stage. Its signature stays, which MLflow asks for."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        call = _current.get()
        if call is None or call.in_a_stage:
            return function(*args, **kwargs)
        call.in_a_stage = True
        began_s = clock()
        try:
            return function(*args, **kwargs)
        finally:
            call.add(name, clock() - began_s)
            call.in_a_stage = False

    return run


def in_thread(function: Callable[P, T], name: str) -> Callable[P, T]:
    """`function`, which a thread runs: the time since the body was there is the stage `name`."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        call = _current.get()
        if call is not None:
            call.add(name, clock() - call.body_s)
        return function(*args, **kwargs)

    return run
