"""One kept-alive HTTP/1.1 connection: bytes in, Answer out. Knows HTTP and what may be sent twice; no MLflow.

A call is a send, one switch to gevent's hub, and a receive. The watcher that ends the wait lives as long as
the connection, so nothing is registered for a call. An answer that is, byte for byte, one that was parsed
before is not parsed again. What is rare (connecting, large bodies, answers in pieces, everything that goes
wrong) has its own slower way; `Line` opens and closes.
"""

from __future__ import annotations

import ssl
from time import perf_counter as clock

from scorebench.answers.http_message import Answer, AnswerParser
from scorebench.client.failures import GONE, NeverArrived
from scorebench.client.line import Line
from scorebench.client.target import Target
from scorebench.client.watchdog import NEVER, Watchdog

_RECEIVE_BYTES = 16_384
_SMALL_ANSWER_BYTES = 470
"""Received into an object of at most 512 bytes, which Python keeps at hand; a larger one is malloc's."""
COUNTS = ("reconnects", "sent_twice", "unasked")
"""What a connection counts, each a field of the recording."""


class Connection(Line):
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
        super().__init__(target, watchdog, timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, tls=tls)
        self._max_answer_bytes = max_answer_bytes
        self._room_bytes = _SMALL_ANSWER_BYTES
        self._sent = 0  # bytes of the call in flight, where it is sent slowly
        self.reconnects = 0
        """Kept-alive connections that had ended before a call arrived, and were opened again for it."""
        self.sent_twice = 0
        """Calls among these that had left already, though they never reached the server."""
        self.unasked = 0
        """Connections that were closed because the server sent more than it was asked for."""

    def call(
        self, request: bytes, expected: bytes | None = None, now_s: float | None = None
    ) -> Answer | None:
        """Send `request` and return its answer; None when that is, byte for byte, `expected`.

        `now_s` is `time.perf_counter()`, where the caller has just asked for it.

        Raises CallFailed. A call is sent again only where a kept-alive connection had ended before the call
        could arrive (RFC 9110, 9.2.2; RFC 9112, 9.3.1): a POST that the server may have executed is never
        repeated. A greenlet that is killed meanwhile leaves a closed connection: no later call can meet
        this one's answer.
        """
        try:
            if self.unsure and not self._still_stands():
                return self._call_anew(request)
            self.deadline = (clock() if now_s is None else now_s) + self._timeout_s
            sent = 0
            try:
                sent = self._send(request)
                if sent != len(request) or (self._tls is not None and self._tls.unsent):
                    return self._call_slowly(request, sent)
                self._watcher.callback = self._resume  # straight into this greenlet: no frame of ours between
                self._hub_switch()
                self._watcher.callback = self._on_ready
                data = self._recv(self._room_bytes)
            except (
                BlockingIOError
            ):  # nothing could be sent; or woken by the watchdog, or by TLS's own messages
                return self._call_slowly(request, sent)
            except OSError as error:
                if sent or not isinstance(error, GONE):
                    raise self._failed(error) from None
                return self._call_again(request, sent)
            if data == expected:
                self.deadline = NEVER
                return None
            return self._unexpected(request, sent, data)
        except BaseException:
            self.close()
            raise

    def _unexpected(self, request: bytes, sent: int, data: bytes) -> Answer:
        """The answer that begins with `data`; without any, the server has closed."""
        if not data:
            return self._call_slowly(request, sent)
        if len(data) == self._room_bytes:  # cut, so it can't be compared; the next one can
            self._room_bytes, self.unsure = _RECEIVE_BYTES, True
        return self._read_answer(self._new_parser(), data)

    def _new_parser(self) -> AnswerParser:
        return AnswerParser(self._max_answer_bytes)

    def _still_stands(self) -> bool:
        """Whether the open connection can carry a call: neither its end nor an unasked byte has come."""
        if self._wire is None:
            return False
        try:
            surplus = self._recv(1)
        except BlockingIOError:
            self._watcher.start(self._on_ready)
            self.unsure = False
            return True
        except OSError:
            return False
        if surplus:
            self.unasked += 1
            self.close()
        return False

    def _call_again(self, request: bytes, sent: int) -> Answer:
        """Send a call that never arrived on a new connection, in the time that is left to it."""
        deadline = self.deadline
        if clock() >= deadline:  # too late, or given up
            raise self._failed(TimeoutError())
        if not sent:
            self._still_stands()  # which counts what nobody asked for: TLS refuses to send after it
        return self._call_anew(request, deadline, sent)

    def _call_anew(self, request: bytes, deadline: float | None = None, sent: int = 0) -> Answer:
        """Open and send; in the time left until `deadline`, where `sent` bytes left in vain before."""
        stale = self._wire is not None
        self.close()
        self._open()
        self.reconnects += stale
        self.sent_twice += sent > 0
        self.allow(self._timeout_s if deadline is None else deadline - clock())
        return self._exchange(memoryview(request), self._new_parser())

    def _call_slowly(self, request: bytes, sent: int) -> Answer:
        """Go on with a call on a kept-alive connection of which `sent` bytes have left."""
        parser = self._new_parser()
        try:
            return self._exchange(memoryview(request)[sent:], parser, sent)
        except NeverArrived:
            return self._call_again(request, self._sent)

    def _exchange(self, rest: memoryview, parser: AnswerParser, sent: int = 0) -> Answer:
        """Send the rest of a request and read the answer, waiting where that takes long."""
        self._sent = sent
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
                    sent = self._send(rest)
                    self._sent += sent
                    rest = rest[sent:]
                elif self._tls is not None:
                    self._tls.flush()
            except BlockingIOError:
                self.wait_to_send()
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
        else:
            self._check_arrival(parser)
        return parser.decided or not data

    def _check_arrival(self, parser: AnswerParser) -> None:
        """At the end of the stream: NeverArrived if the server had ended it before the call arrived."""
        assert self._wire is not None
        if parser.untouched and self._wire.took_none_of(self._sent):
            raise NeverArrived

    def _read_answer(self, parser: AnswerParser, data: bytes = b"", *, sent_all: bool = True) -> Answer:
        """Read until the answer is whole, beginning with `data`; the connection is closed if it must be."""
        try:
            if data:
                parser.feed(data)
            while not parser.complete:
                if data := self._receive():
                    parser.feed(data)
                else:
                    self._check_arrival(parser)
                    parser.end()
            answer = parser.answer
        except OSError as error:
            raise self._failed(error) from None
        finally:
            parser.release()
        self.deadline = NEVER
        self.unasked += parser.has_surplus
        if not (parser.reusable and sent_all):
            self.close()
        return answer

    def _receive(self) -> bytes:
        """What came, waiting until something does; b"" when the server closed."""
        while True:
            try:
                data = self._recv(_RECEIVE_BYTES)
            except BlockingIOError:
                self.wait()
            else:
                if len(data) == _RECEIVE_BYTES:  # bytes that nobody asked for may be left
                    self.unsure = True
                return data
