"""The bytes of an HTTP/1.1 answer → Answer. Knows the protocol, by httptools; no socket, no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httptools

from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed

MAX_HEAD_BYTES = 65_536
_MEMO_BYTES = 16_384
"""As many as are received at once: an answer that fills them may have been cut, and is not compared."""
_FRAME_BYTES = 8
"""Most that frames a byte of a body: a chunk of one byte costs five more."""


class CallFailed(Exception):
    """One call got no answer that HTTP knows: `outcome` says which kind, the message the details."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `raw` are its bytes as they came, when they came in one piece and may be compared."""

    status: int
    content_type: str
    body: bytes
    raw: bytes | None = None
    location: str = ""
    """Where a redirect points to."""
    stream: Streamed | None = None
    """What it came to as a stream; None where it was none."""


class AnswerParser:
    """One answer: `feed` what came, `end` when the server closed; then `answer`, or CallFailed.

    Interim answers (1xx) are passed over. What follows the answer on the connection is nobody's: it is
    dropped, and `reusable` is False.
    """

    def __init__(self, max_bytes: int) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._max_bytes = max_bytes
        self._pieces = 0
        self._first = b""
        self._wire_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._has_length = False
        self._in_body = False
        self._keep_alive = False
        self._extra = False
        self._status = 0
        self._content_type = ""
        self._location = ""
        self.complete = False

    @property
    def untouched(self) -> bool:
        """Whether nothing came yet."""
        return self._pieces == 0

    @property
    def decided(self) -> bool:
        """Whether the final answer's head has come: what is left of the request will not change it."""
        return self._in_body or self.complete

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another call."""
        return self.complete and self._keep_alive and not self._extra

    @property
    def has_surplus(self) -> bool:
        """Whether bytes came behind the answer: no call asked for them."""
        return self._extra

    @property
    def answer(self) -> Answer:
        """The answer; only when it is `complete`, and before `release`."""
        comparable = self._pieces == 1 and self.reusable and len(self._first) < _MEMO_BYTES
        raw = self._first if comparable else None
        return Answer(self._status, self._content_type, b"".join(self._body), raw, self._location)

    def release(self) -> None:
        """Let go of the bytes. The parser holds us and we hold it: left alone, a large answer would stay
        in memory until Python's next search for such cycles."""
        self._parser = None
        self._body.clear()
        self._first = b""

    def feed(self, data: bytes) -> None:
        """Take what came; CallFailed when it is no HTTP, or too much."""
        self._pieces += 1
        self._first = self._first or data
        self._wire_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise self._malformed(error) from None
            self._extra = True
        if not self.complete or self._body_bytes > self._max_bytes:
            self._check_size()

    def end(self) -> None:
        """The server closed; CallFailed unless that is how the answer says that it ends."""
        self._keep_alive = False
        if self._in_body and not self._has_length:
            self.complete = True
            return
        where = (
            "in its body" if self._in_body else "before its first byte" if self.untouched else "in its head"
        )
        raise CallFailed(Outcome.CONNECTION_CLOSED, f"the server closed the connection {where}")

    def _malformed(self, error: Exception) -> CallFailed:
        switched = isinstance(error, httptools.HttpParserUpgrade)
        what = "the server switched to another protocol" if switched else str(error)
        return CallFailed(Outcome.MALFORMED_HTTP, f"{what}; it began with {self._first[:80]!r}")

    def _check_size(self) -> None:
        if self._body_bytes > self._max_bytes:
            raise CallFailed(Outcome.ANSWER_TOO_LARGE, f"an answer of more than {self._max_bytes:,} bytes")
        frame_bytes = self._wire_bytes - self._body_bytes
        if frame_bytes > MAX_HEAD_BYTES + _FRAME_BYTES * self._body_bytes:
            raise CallFailed(Outcome.MALFORMED_HTTP, f"headers of more than {MAX_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        self._extra = self._extra or self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.decided:  # a trailer, or another answer's
            return
        name = name.lower()
        if name == b"content-type":
            self._content_type = value.decode("latin-1")
        elif name == b"location":
            self._location = value.decode("latin-1")
        elif name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower()):
            self._has_length = True

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        self._status = self._parser.get_status_code()
        if 100 <= self._status < 200:
            self._content_type, self._location, self._has_length = "", "", False
            self._pieces += 1  # its bytes are no answer that a later one could be compared with
        else:
            self._in_body = True

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return
        self._body_bytes += len(body)
        if self._body_bytes <= self._max_bytes:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._in_body and not self.complete:
            self._keep_alive = self._parser.should_keep_alive()
            self.complete = True
