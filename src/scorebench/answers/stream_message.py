"""The bytes of an answer that may be a stream → Answer, with the times of its chunks.

Knows HTTP's answers and streams; no socket, and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from scorebench.answers.http_message import Answer, AnswerParser, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import StreamReader

STREAM_TYPE = "text/event-stream"


class StreamParser(AnswerParser):
    """As an AnswerParser; a 200 of the type of a stream is read as it comes, and its body is not kept."""

    def __init__(
        self, max_bytes: int, *, clock: Callable[[], float], on_end: Callable[[], None] = lambda: None
    ) -> None:
        """`clock` is asked once for what comes together; `on_end` hears of the protocol's own end."""
        super().__init__(max_bytes)
        self._clock, self._on_end = clock, on_end
        self._now_s = 0.0
        self._reader: StreamReader | None = None

    @property
    def is_over(self) -> bool:
        """Whether the stream has said its last, whatever HTTP has still to say."""
        return self._reader is not None and self._reader.end_s is not None

    @property
    def answer(self) -> Answer:
        """The answer, as of AnswerParser; of a stream as soon as it `is_over`, and after `release` too."""
        if self._reader is None:
            return super().answer
        stream = self._reader.result()
        body = b"" if stream.outcome is Outcome.VALID else self._reader.shown()
        return Answer(self._status, self._content_type, body, None, self._location, stream)

    def feed(self, data: bytes) -> None:
        """Take what came just now."""
        self._now_s = self._clock()
        was_over = self.is_over
        super().feed(data)
        if self.is_over and not (was_over or self.complete):
            self._on_end()

    def end(self) -> None:
        """The server closed: good where the stream was over, or HTTP lets an answer end so."""
        try:
            super().end()
        except CallFailed:
            if self.is_over:
                self.complete = True
            elif self._reader is None:
                raise
            else:
                shown = self._reader.shown().decode("utf-8", "replace")
                raise CallFailed(
                    Outcome.STREAM_CUT_OFF, f"the server closed the connection: {shown}"
                ) from None

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        kind = self._content_type.partition(";")[0].strip().lower()
        if self.decided and not self.complete and self._status == 200 and kind == STREAM_TYPE:
            self._reader = self._reader or StreamReader()

    def on_body(self, body: bytes) -> None:
        if self._reader is None:
            super().on_body(body)
        elif not self.complete:
            self._body_bytes += len(body)
            self._reader.feed(body, self._now_s)
