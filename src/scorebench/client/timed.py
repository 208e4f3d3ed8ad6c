"""A connection that notes when each phase of a call ended, for --timings. Knows a clock; no statistics.

It wraps what `Connection` calls, so that a run without --timings pays nothing for it.
"""

from __future__ import annotations

from time import perf_counter as clock
from typing import Any

from scorebench.answers.http_message import Answer, AnswerParser
from scorebench.answers.server_timing import MOST_BYTES
from scorebench.client.connection import Connection
from scorebench.client.wire import Wire

Phases = tuple[float, float, float, float, float]
"""Seconds for the name, the connection and TLS, 0 where the call needed none; then, on
`time.perf_counter`'s clock, when the last byte was handed to the system, and when the first byte came; 0
where that did not happen."""
_HEADER = b"server-timing"


class TimedAnswerParser(AnswerParser):
    """Keeps `Server-Timing` as well, in the head or behind the body."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.server_timing = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if not self.complete and name.lower() == _HEADER and len(self.server_timing) <= MOST_BYTES:
            self.server_timing += b", " + value if self.server_timing else value

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if not self.decided:  # an interim answer's
            self.server_timing = b""


class TimedConnection(Connection):
    """`phases` and `server_timing` are those of the last call, from its start on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.server_timing = b""
        """The answer's `Server-Timing`; empty without one."""
        self._forget()

    @property
    def phases(self) -> Phases:
        """What was noted of the last call."""
        return self._name_s, self._connect_s, self._tls_s, self._sent_s, self._first_s

    def call(
        self,
        request: bytes,
        expected: bytes | None = None,  # noqa: ARG002 (the header of each answer is read)
        now_s: float | None = None,
    ) -> Answer | None:
        """As `Connection.call`, but the answer is always parsed."""
        self._forget()
        return super().call(request, None, now_s)

    def _forget(self) -> None:
        self._name_s = self._connect_s = self._tls_s = self._sent_s = self._first_s = 0.0
        self.server_timing = b""

    def _addresses(self) -> list[tuple[int, Any]]:
        began_s = clock()
        try:
            return super()._addresses()
        finally:
            self._name_s += clock() - began_s

    def _connect(self, family: int, address: Any) -> None:
        began_s, tls_s = clock(), self._tls_s
        try:
            super()._connect(family, address)
        finally:
            self._connect_s += clock() - began_s - (self._tls_s - tls_s)
        self._sent_s = self._first_s = 0.0  # of a connection that had ended before the call arrived
        send, receive = self._send, self._recv

        def timed_send(data: bytes | memoryview) -> int:
            sent = send(data)
            self._sent_s = clock()
            return sent

        def timed_receive(room: int) -> bytes:
            data = receive(room)
            if data and not self._first_s:
                self._first_s = clock()
            return data

        self._send, self._recv = timed_send, timed_receive

    def _shake_hands(self, wire: Wire) -> None:
        if self._tls_context is None:
            return
        began_s = clock()
        try:
            super()._shake_hands(wire)
        finally:
            self._tls_s += clock() - began_s

    def _send_rest(self, rest: memoryview, parser: AnswerParser) -> bool:
        sent_all = super()._send_rest(rest, parser)
        self._sent_s = clock()  # TLS may have kept some of what `send` took
        return sent_all

    def _new_parser(self) -> TimedAnswerParser:
        return TimedAnswerParser(self._max_answer_bytes)

    def _read_answer(self, parser: AnswerParser, data: bytes = b"", *, sent_all: bool = True) -> Answer:
        answer = super()._read_answer(parser, data, sent_all=sent_all)
        assert isinstance(parser, TimedAnswerParser)
        self.server_timing = parser.server_timing
        return answer
