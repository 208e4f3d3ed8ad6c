"""What a greenlet waits for, read from its stack. Knows gevent's modules and Linux's TCP; no requests.

A client that nobody knows tells of a call when it is over. Before that only its stack says that there may be
one: in the end it waits in gevent's sockets, in a thread, or in code of a library.
"""

from __future__ import annotations

import os
import socket
import struct
import sysconfig
import weakref
from collections.abc import Iterator
from enum import Enum, auto
from time import perf_counter as clock
from types import FrameType
from typing import Any, NamedTuple

import gevent
from gevent import Greenlet
from gevent.threadpool import ThreadPool
from locust.clients import ResponseContextManager
from locust.contrib.fasthttp import FastResponse

IO = (
    *("gevent._socket3", "gevent._socketcommon", "gevent.ssl", "gevent.select", "gevent.selectors"),
    *("gevent.threadpool", "gevent.subprocess", "gevent.os", "gevent.resolver", "gevent._fileobject"),
)
"""gevent's modules that wait for what is outside of this process."""
WITHIN = ("gevent.", "threading", "queue", "concurrent.futures.")
"""Modules that wait for another greenlet. Who called them says more."""
NOT_THE_LOAD = ("locust.runners", "scorebench.plugin.lifecycle.")
"""Who waits there ends or leads the run."""
ASKING = ("http.client", "urllib3.", "requests.", "geventhttpclient.", "httpx.", "httpcore.", "aiohttp.")
"""Clients that wait on a socket for the answer to what they sent, and for nothing else."""
_STANDARD_LIBRARY = sysconfig.get_path("stdlib")
_TCP_INFO = struct.Struct("=44xI4xI72xQ")
"""Linux's `struct tcp_info`: of it `tcpi_last_data_sent` and `…_recv`, in ms, and `tcpi_bytes_received`."""


_streamed: weakref.WeakSet[Any] = weakref.WeakSet()


def keep_streamed(answer: Any) -> None:
    """Remember a streamed answer of one of Locust's clients: reading its body is no other call."""
    for name in ("raw", "_response"):  # of requests, and of geventhttpclient
        if (part := getattr(answer, name, None)) is not None:
            _streamed.add(part)


class Awaited(Enum):
    """What a greenlet waits for."""

    NOTHING = auto()
    """Time, the run's end, or an answer that was counted already: no call."""
    ANSWER = auto()
    """Something outside of this process: a call may be under way."""
    GREENLET = auto()
    """A queue, an event, a lock, or greenlets that it started."""


def awaited_by(greenlet: Greenlet) -> Awaited:
    """What it waits for. `time.sleep` is gevent's."""
    frames = list(_frames(greenlet))
    names = [_module(frame) for frame in frames]
    if not frames or frames[0].f_code is gevent.sleep.__code__:
        return Awaited.NOTHING
    if any(name.startswith(NOT_THE_LOAD) for name in names):
        return Awaited.NOTHING
    if _is_reading_on(frames):
        return Awaited.NOTHING
    for frame, name in zip(frames, names, strict=True):
        if name.startswith(IO) or _is_method_of(frame, (ThreadPool,)):
            return Awaited.ANSWER
        if name.startswith(WITHIN):
            continue
        return Awaited.ANSWER if _is_of_a_library(frame) else Awaited.GREENLET
    return Awaited.GREENLET


def _is_reading_on(frames: list[FrameType]) -> bool:
    """Whether it reads the rest of an answer whose event came with its head, or will come after it."""
    streamed = {id(answer) for answer in _streamed}
    kinds = (ResponseContextManager, FastResponse)
    return any(_is_method_of(one, kinds) or id(one.f_locals.get("self")) in streamed for one in frames)


class Asked(NamedTuple):
    """What the socket says that a greenlet reads from. Without one, or off Linux, nothing is known."""

    sent_s: float | None = None
    """When data was sent last, on `time.perf_counter`'s clock."""
    is_answered: bool = False
    """Whether something arrived since: who still reads waits for what a server sends by itself."""
    in_doubt: bool = False
    """Whether both happened within the same few milliseconds, in whatever order."""


def asked_by(greenlet: Greenlet) -> Asked:
    """What it sent and got. An HTTP client that got something waits for the rest of it."""
    frames = list(_frames(greenlet))
    read = next((frame for frame in frames if _is_method_of(frame, (socket.socket,))), None)
    if read is None:
        return Asked()
    try:
        info = read.f_locals["self"].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        sent_ms, received_ms, received_bytes = _TCP_INFO.unpack(info)
    except (AttributeError, OSError, struct.error):  # another system, or no TCP
        return Asked()
    sent_s = clock() - float(sent_ms) / 1e3
    if not received_bytes or any(_module(frame).startswith(ASKING) for frame in frames):
        return Asked(sent_s)
    return Asked(sent_s, received_ms < sent_ms, received_ms == sent_ms)


def _frames(greenlet: Greenlet) -> Iterator[FrameType]:
    """From the innermost outwards; none of a greenlet that runs, ended, or did not begin."""
    frame = greenlet.gr_frame
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


def _is_method_of(frame: FrameType, kinds: tuple[type, ...]) -> bool:
    """By the object's own type: a proxy that somebody made may raise when it is asked for its class."""
    return issubclass(type(frame.f_locals.get("self")), kinds)


def _is_of_a_library(frame: FrameType) -> bool:
    """Whether it is code that somebody installed, and not the locustfile's own; Locust is none here."""
    path = frame.f_code.co_filename
    is_installed = f"-packages{os.sep}" in path or path.startswith(_STANDARD_LIBRARY)
    return is_installed and not _module(frame).startswith("locust.")
