"""One kept-alive HTTP/1.1 connection: bytes in, Answer out. Knows sockets, TLS and gevent's loop; no MLflow.

A call is a send, one switch to gevent's hub, and a receive. The watcher that ends the wait lives as long as
the connection, so nothing is registered for a call; and an answer that is, byte for byte, one that was
parsed before is not parsed again. What is rare (connecting, large bodies, answers in pieces, everything that
goes wrong) has its own slower way.
"""

from __future__ import annotations

import _socket
import errno
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter as clock
from typing import Any

from gevent import get_hub, getcurrent
from greenlet import greenlet

from scorebench.answers.http_message import Answer, AnswerParser, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.addresses import addresses
from scorebench.client.failures import GONE, failure_of
from scorebench.client.target import Target
from scorebench.client.tls import TlsSocket
from scorebench.client.watchdog import GIVEN_UP, NEVER, Watchdog

_READ, _WRITE = 1, 2
_RECEIVE_BYTES = 16_384
_SMALL_ANSWER_BYTES = 470
"""Received into an object of at most 512 bytes, which Python keeps at hand; a larger one is malloc's."""
_ENDED = (Outcome.CONNECTION_CLOSED, Outcome.CONNECTION_RESET)


class Connection:
    """A connection that one greenlet uses, opened at its first call and again after it broke."""

    def __init__(
        self,
        target: Target,
        watchdog: Watchdog,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        max_answer_bytes: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._target = target
        self._watchdog = watchdog
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._tls_context = tls
        self._max_answer_bytes = max_answer_bytes
        # greenlet's own switch: gevent's asks first whether it is the hub that waits, which no call is.
        self._hub_switch = greenlet.switch.__get__(get_hub())
        self._room_bytes = _SMALL_ANSWER_BYTES
        self._sock: Any = None
        self._tls: TlsSocket | None = None
        self._watcher: Any = None
        self._send: Callable[[bytes | memoryview], int]
        self._recv: Callable[[int], bytes]
        self._caller: Any = None
        self._resume: Callable[[], object]
        self._waiting = False
        self._stale = False
        self.deadline = NEVER
        """When the call in flight times out; GIVEN_UP cuts it off at the watchdog's next look."""
        self.reconnects = 0
        """How often a kept-alive connection turned out to be closed and the call was sent again."""

    @property
    def in_call(self) -> bool:
        """Whether a call is in flight."""
        return self.deadline != NEVER

    def call(  # noqa: PLR0911
        self, request: bytes, expected: bytes | None = None, now_s: float | None = None
    ) -> Answer | None:
        """Send `request` and return its answer; None when that is, byte for byte, `expected`.

        `now_s` is what `time.perf_counter` says, where the caller has just asked it.

        Raises CallFailed. A kept-alive connection that ends before the first byte of the answer is opened
        anew, and the call sent once more: the server had closed it while it was idle. A greenlet that is
        killed meanwhile leaves a closed connection: no later call can meet this one's answer.
        """
        try:
            if self._sock is None or self._stale:
                return self._call_anew(request)
            self.deadline = (clock() if now_s is None else now_s) + self._timeout_s
            try:
                try:
                    sent = self._send(request)
                except BlockingIOError:
                    sent = 0
                if sent != len(request) or (self._tls is not None and self._tls.unsent):
                    return self._call_slowly(request, sent)
                self._watcher.callback = self._resume  # straight into this greenlet: no frame of ours between
                self._hub_switch()
                self._watcher.callback = self._on_ready
                data = self._recv(self._room_bytes)
            except BlockingIOError:  # woken by the watchdog, or by TLS's own messages
                return self._call_slowly(request, len(request))
            except GONE:
                return self._call_anew(request, self.deadline)
            except OSError as error:
                raise self._failed(error) from None
            if data == expected:
                self.deadline = NEVER
                return None
            if not data:
                return self._call_anew(request, self.deadline)
            if len(data) == self._room_bytes:  # cut, so it can't be compared; the next one can
                self._room_bytes = _RECEIVE_BYTES
            return self._read_answer(AnswerParser(self._max_answer_bytes), data)
        except BaseException:
            self.close()
            raise

    def open(self) -> None:
        """Connect ahead of the first call, whose time is then the server's alone; it fails if this did."""
        with suppress(CallFailed):
            self._open()
        self.deadline = NEVER

    def close(self) -> None:
        """Close; the next call opens a new connection. A call of another greenlet is cut off, very soon."""
        if self.in_call and getcurrent() is not self._caller:
            self.give_up()
            get_hub().loop.run_callback(self.expire)
            return
        self.deadline = NEVER
        if self._sock is None:
            return
        self._watchdog.forget(self)
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
        self._sock.close()
        self._sock = self._tls = self._watcher = None
        self._waiting = self._stale = False

    def give_up(self) -> None:
        """Have the call in flight cut off at the watchdog's next look; without one nothing happens."""
        if self.in_call:
            self.deadline = GIVEN_UP

    def expire(self) -> None:
        """Wake a call that is past its deadline, which then ends. For the watchdog, which runs in the hub."""
        if self._waiting or (self._watcher is not None and self._watcher.callback is self._resume):
            self._waiting = False
            self._resume()

    def _on_ready(self) -> None:
        if self._waiting:
            self._waiting = False
            self._resume()
        else:  # bytes or an end that no call waits for: the connection is of no more use
            self._stale = True
            self._watcher.stop()

    def _call_anew(self, request: bytes, deadline: float | None = None) -> Answer:
        """Open and send; with the `deadline` of a call that the server closed on, in the time left to it."""
        if deadline is not None and clock() >= deadline:  # given up, or too late: it is not sent again
            raise self._failed(TimeoutError())
        stale = self._stale or deadline is not None
        self.close()
        self._open()
        self.reconnects += stale
        self._allow(self._timeout_s if deadline is None else deadline - clock())
        return self._exchange(memoryview(request), AnswerParser(self._max_answer_bytes))

    def _call_slowly(self, request: bytes, sent: int) -> Answer:
        """Go on with a call on a kept-alive connection of which `sent` bytes have left."""
        deadline = self.deadline
        parser = AnswerParser(self._max_answer_bytes)
        try:
            return self._exchange(memoryview(request)[sent:], parser)
        except CallFailed as failure:
            if failure.outcome not in _ENDED or not parser.untouched:
                raise
        return self._call_anew(request, min(deadline, self.deadline))  # it may have been given up since

    def _exchange(self, rest: memoryview, parser: AnswerParser) -> Answer:
        """Send the rest of a request and read the answer, waiting wherever that takes long."""
        try:
            sent_all = self._send_rest(rest, parser)
        except OSError as error:
            raise self._failed(error) from None
        return self._read_answer(parser, sent_all=sent_all)

    def _send_rest(self, rest: memoryview, parser: AnswerParser) -> bool:
        """Send `rest`; False where the server answered, or hung up, before it had read it all."""
        while rest or (self._tls is not None and self._tls.unsent):
            try:
                if rest:
                    rest = rest[self._send(rest) :]
                elif self._tls is not None:
                    self._tls.flush()
            except BlockingIOError:
                self._wait_for(_WRITE)
                if self._answered_early(parser):
                    return False
            except GONE:
                if self._answered_early(parser) and not parser.untouched:
                    return False
                raise
        return True

    def _answered_early(self, parser: AnswerParser) -> bool:
        """Whether the server has answered (100 Continue is no answer), or will not any more."""
        try:
            data = self._recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except GONE:
            return True
        if data:
            parser.feed(data)
        return parser.decided or not data

    def _read_answer(self, parser: AnswerParser, data: bytes = b"", *, sent_all: bool = True) -> Answer:
        """Read until the answer is whole, beginning with `data`; the connection is closed if it must be."""
        try:
            if data:
                parser.feed(data)
            while not parser.complete:
                if data := self._receive():
                    parser.feed(data)
                else:
                    parser.end()
            answer = parser.answer
        except OSError as error:
            raise self._failed(error) from None
        finally:
            parser.release()
        self.deadline = NEVER
        if not (parser.reusable and sent_all):
            self.close()
        return answer

    def _receive(self) -> bytes:
        """What came, waiting until something does; b"" when the server closed."""
        while True:
            try:
                return self._recv(_RECEIVE_BYTES)
            except BlockingIOError:
                self._wait()

    def _allow(self, limit_s: float) -> None:
        if self.deadline != GIVEN_UP:
            self.deadline = clock() + limit_s

    def _wait(self) -> None:
        """Switch to the hub until the lasting watcher, or one of `_wait_for`, or the watchdog, calls back."""
        if clock() >= self.deadline:
            raise TimeoutError
        self._waiting = True
        self._hub_switch()

    def _wait_for(self, events: int) -> None:
        watcher = get_hub().loop.io(self._sock.fileno(), events)
        watcher.start(self._on_ready)
        try:
            self._wait()
        finally:
            watcher.stop()
            watcher.close()

    def _open(self) -> None:
        """Connect to the first address that takes us; CallFailed if none does."""
        self._caller = getcurrent()
        self._resume = self._caller.switch
        self.deadline = clock() + self._connect_timeout_s
        last: CallFailed | None = None
        for family, address in addresses(self._target, self._connect_timeout_s):
            try:
                return self._connect(family, address)
            except OSError as error:
                last = self._failed(error, connecting=True)
            if last.outcome is Outcome.CUT_OFF:
                break
        raise last or CallFailed(Outcome.CONNECTION_FAILED, f"{self._target.host}: no address")

    def _connect(self, family: int, address: Any) -> None:
        # The plain C socket: gevent's own waits by itself, with a watcher a call.
        self._sock = _socket.socket(family, _socket.SOCK_STREAM)
        self._sock.setblocking(False)
        self._sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._watcher = get_hub().loop.io(self._sock.fileno(), _READ)
        self._allow(self._connect_timeout_s)
        self._watchdog.watch(self)
        while code := self._sock.connect_ex(address):
            if code == errno.EISCONN:
                break
            if code not in (errno.EINPROGRESS, errno.EALREADY):
                raise OSError(code, os.strerror(code))
            self._wait_for(_WRITE)
        self._watcher.start(self._on_ready)
        self._send, self._recv = self._sock.send, self._sock.recv
        if self._tls_context is not None:
            self._start_tls(self._tls_context)

    def _start_tls(self, context: ssl.SSLContext) -> None:
        self._tls = TlsSocket(self._sock, context, self._target.host)
        self._send, self._recv = self._tls.send, self._tls.recv
        while True:
            try:
                return self._tls.handshake()
            except BlockingIOError:
                self._wait()

    def _failed(self, error: OSError, *, connecting: bool = False) -> CallFailed:
        """Close, and say what `error` made of the call."""
        limit_s = self._connect_timeout_s if connecting else self._timeout_s
        given_up = self.deadline == GIVEN_UP
        self.close()
        if given_up:
            return CallFailed(Outcome.CUT_OFF, "given up before it was answered")
        return failure_of(error, connecting=connecting, limit_s=limit_s)
