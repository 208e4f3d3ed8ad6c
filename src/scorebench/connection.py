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
from time import perf_counter as clock
from typing import Any

import gevent.socket
from gevent import get_hub, getcurrent

from scorebench.http_message import MAX_ANSWER_BYTES, Answer, AnswerParser, CallFailed
from scorebench.outcome import Outcome
from scorebench.target import Target
from scorebench.tls import TlsSocket
from scorebench.watchdog import NEVER, Watchdog

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
_READ, _WRITE = 1, 2
_RECEIVE_BYTES = 65_536
_GONE = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


class Connection:
    """A connection that one greenlet uses, opened at its first call and again when it broke.

    `call` sends whole requests. CallFailed says what became of a call that got no answer; the next call
    opens a new connection.
    """

    def __init__(
        self,
        target: Target,
        watchdog: Watchdog,
        *,
        timeout_s: float = TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._target = target
        self._watchdog = watchdog
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._tls_context = tls
        self._max_answer_bytes = max_answer_bytes
        self._hub_switch = get_hub().switch
        self._sock: Any = None
        self._tls: TlsSocket | None = None
        self._watcher: Any = None
        self._send: Any = None
        self._recv: Any = None
        self._resume: Any = None
        self._waiting = False
        self._stale = False
        self._expired = False
        self.deadline = NEVER
        self.reconnects = 0
        """How often a kept-alive connection turned out to be closed and the call was sent again."""

    def call(self, request: bytes, expected: bytes | None = None) -> Answer | None:  # noqa: PLR0911
        """Send `request` and return its answer; None when that is, byte for byte, `expected`.

        Raises CallFailed. A kept-alive connection that ends before the first byte of the answer is opened
        anew, and the call sent once more: the server had closed it while it was idle.
        """
        if self._sock is None or self._stale:
            return self._call_anew(request)
        self.deadline = clock() + self._timeout_s
        try:
            sent = self._send(request)
        except BlockingIOError:
            sent = 0
        except (OSError, ssl.SSLError):
            return self._call_again(request)
        if sent != len(request) or (self._tls is not None and self._tls.unsent):
            return self._exchange(request, sent)
        self._waiting = True
        self._hub_switch()
        try:
            data = self._recv(_RECEIVE_BYTES)
        except BlockingIOError:  # woken by the watchdog, or by TLS's own messages
            return self._read_answer(b"")
        except (OSError, ssl.SSLError):
            return self._call_again(request)
        if data == expected:
            self.deadline = NEVER
            return None
        return self._read_answer(data) if data else self._call_again(request)

    def close(self) -> None:
        """Close; the next call opens a new connection. May be called at any time, more than once."""
        if self._sock is None:
            return
        self._watchdog.forget(self)
        self._watcher.stop()
        self._watcher.close()
        self._sock.close()
        self._sock = self._tls = None
        self._waiting = self._stale = self._expired = False
        self.deadline = NEVER

    def expire(self) -> None:
        """End the wait of a call that is past its deadline. For the watchdog, which runs in the hub."""
        if self._waiting:
            self._waiting = False
            self._expired = True
            self._resume()

    def _on_ready(self) -> None:
        if self._waiting:
            self._waiting = False
            self._resume()
        else:  # bytes or an end that no call waits for: the connection is of no more use
            self._stale = True
            self._watcher.stop()

    def _call_anew(self, request: bytes) -> Answer:
        if self._stale:
            self.reconnects += 1
        self.close()
        self._open()
        return self._exchange(request)

    def _call_again(self, request: bytes) -> Answer:
        """The server closed before the first byte of an answer: once more on a new connection."""
        self._stale = True
        return self._call_anew(request)

    def _exchange(self, request: bytes, sent: int = 0) -> Answer:
        """Send what is left of `request` and read the answer, waiting wherever that takes long."""
        self.deadline = clock() + self._timeout_s
        try:
            early = self._send_rest(memoryview(request)[sent:])
        except (OSError, ssl.SSLError) as error:
            raise self._failed(error) from None
        return self._read_answer(early, sent_all=not early)

    def _send_rest(self, rest: memoryview) -> bytes:
        """Send `rest`; what the server answered before it had read it all, else b""."""
        while rest or (self._tls is not None and self._tls.unsent):
            try:
                if rest:
                    rest = rest[self._send(rest) :]
                elif self._tls is not None:
                    self._tls.flush()
                continue
            except BlockingIOError:
                self._wait_for(_WRITE)
            except _GONE:
                if early := self._receive_early():
                    return early
                raise
            if early := self._receive_early():
                return early
        return b""

    def _receive_early(self) -> bytes:
        try:
            data: bytes = self._recv(_RECEIVE_BYTES)
        except (BlockingIOError, *_GONE):
            return b""
        return data

    def _read_answer(self, data: bytes, *, sent_all: bool = True) -> Answer:
        """Read until the answer is whole, beginning with `data`; the connection is closed if it must be."""
        parser = AnswerParser(self._max_answer_bytes)
        try:
            while True:
                if data:
                    parser.feed(data)
                    if parser.complete:
                        break
                data = self._receive()
                if not data:
                    parser.end()
                    break
        except CallFailed:
            self.close()
            raise
        except (OSError, ssl.SSLError) as error:
            raise self._failed(error) from None
        self.deadline = NEVER
        if not (parser.reusable and sent_all):
            self.close()
        return parser.answer

    def _receive(self) -> bytes:
        """What came, waiting until something does; b"" when the server closed."""
        while True:
            try:
                data: bytes = self._recv(_RECEIVE_BYTES)
            except BlockingIOError:
                self._wait()
            else:
                return data

    def _wait(self) -> None:
        """Switch to the hub until the lasting watcher, or one of `_wait_for`, or the watchdog, calls back."""
        if not self._expired:
            self._waiting = True
            self._hub_switch()
        if self._expired:
            raise TimeoutError

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
        self._resume = getcurrent().switch
        last: CallFailed | None = None
        for family, address in self._addresses():
            try:
                self._connect(family, address)
            except (OSError, ssl.SSLError) as error:
                last = self._failed(error, connecting=True)
            else:
                return
        raise last or CallFailed(Outcome.CONNECTION_FAILED, f"{self._target.host}: no address")

    def _addresses(self) -> list[tuple[int, Any]]:
        try:
            found = gevent.socket.getaddrinfo(self._target.host, self._target.port, type=_socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise CallFailed(Outcome.CONNECTION_FAILED, f"{self._target.host}: {error}") from None
        return [(family, address) for family, _, _, _, address in found]

    def _connect(self, family: int, address: Any) -> None:
        # The plain C socket: gevent's own waits by itself, with a watcher a call.
        self._sock = _socket.socket(family, _socket.SOCK_STREAM)
        self._sock.setblocking(False)
        self._sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._watcher = get_hub().loop.io(self._sock.fileno(), _READ)
        self.deadline = clock() + self._connect_timeout_s
        self._watchdog.watch(self)
        code = self._sock.connect_ex(address)
        if code == errno.EINPROGRESS:
            self._wait_for(_WRITE)
            code = self._sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._watcher.start(self._on_ready)
        self._send, self._recv = self._sock.send, self._sock.recv
        if self._tls_context is not None:
            self._start_tls(self._tls_context)

    def _start_tls(self, context: ssl.SSLContext) -> None:
        self._tls = TlsSocket(self._sock, context, self._target.host)
        self._send, self._recv = self._tls.send, self._tls.recv
        while True:
            try:
                self._tls.handshake()
            except BlockingIOError:
                self._wait()
            else:
                return

    def _failed(self, error: OSError | ssl.SSLError, *, connecting: bool = False) -> CallFailed:
        """Close, and say what `error` made of the call."""
        limit_s = self._connect_timeout_s if connecting else self._timeout_s
        self.close()
        return failure_of(error, connecting=connecting, limit_s=limit_s)


def failure_of(error: OSError | ssl.SSLError, *, connecting: bool, limit_s: float) -> CallFailed:
    """The outcome that stands for an error of the socket or of TLS."""
    if isinstance(error, ssl.SSLError):
        return CallFailed(Outcome.TLS_FAILED, str(error))
    if isinstance(error, TimeoutError):
        outcome = Outcome.CONNECT_TIMEOUT if connecting else Outcome.CLIENT_TIMEOUT
        return CallFailed(outcome, f"nothing after {limit_s:g} s")
    if isinstance(error, ConnectionRefusedError):
        return CallFailed(Outcome.CONNECTION_REFUSED, "the server refused the connection")
    if isinstance(error, _GONE):
        return CallFailed(Outcome.CONNECTION_RESET, "the server reset the connection")
    return CallFailed(Outcome.CONNECTION_FAILED, str(error))
