"""A connection whose answers may be streams: each piece has its time, and the protocol's end is the end.

Knows connections and the clock; not what a model says in a stream.
"""

from __future__ import annotations

from time import perf_counter as clock

from scorebench.answers.http_message import Answer, AnswerParser, CallFailed
from scorebench.answers.stream_message import StreamParser
from scorebench.client.connection import Connection

REST_S = 1.0
"""How long HTTP's own end is waited for once a stream is over: it lets the connection be used again."""


class StreamingConnection(Connection):
    """As a Connection. `Answer.stream` is there where the answer was a stream."""

    def _new_parser(self) -> StreamParser:
        return StreamParser(self._max_answer_bytes, clock=clock, on_end=self._wait_for_the_rest)

    def _wait_for_the_rest(self) -> None:
        self.deadline = min(self.deadline, clock() + REST_S)

    def _read_answer(self, parser: AnswerParser, data: bytes = b"", *, sent_all: bool = True) -> Answer:
        """As of Connection; what goes wrong behind a stream's end costs the connection, and not the call."""
        try:
            return super()._read_answer(parser, data, sent_all=sent_all)
        except CallFailed:
            if not (isinstance(parser, StreamParser) and parser.is_over):
                raise
            self.close()
            return parser.answer
