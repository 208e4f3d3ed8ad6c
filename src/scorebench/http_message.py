"""The bytes of an HTTP/1.1 answer → Answer. Knows the protocol, by httptools; no socket, no time."""

from __future__ import annotations

from dataclasses import dataclass

import httptools

from scorebench.outcome import Outcome

MAX_HEAD_BYTES = 65_536
MAX_ANSWER_BYTES = 64 * 2**20
"""More than any prediction of a sane run; a server that sends more is cut off."""
_MEMO_BYTES = 16_384


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


class AnswerParser:
    """One answer: `feed` what came, `end` when the server closed; then `answer`, or CallFailed.

    Interim answers (1xx) are passed over. What follows the answer on the connection is nobody's: it is
    dropped, and `reusable` is False.
    """

    def __init__(self, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._max_bytes = max_bytes
        self._pieces = 0
        self._first = b""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._has_length = False
        self._in_body = False
        self._keep_alive = False
        self._extra = False
        self._too_large = False
        self._content_type = ""
        self.complete = False

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another call."""
        return self.complete and self._keep_alive and not self._extra

    @property
    def answer(self) -> Answer:
        """The answer; only once it is `complete`."""
        comparable = self._pieces == 1 and self.reusable and len(self._first) <= _MEMO_BYTES
        raw = self._first if comparable else None
        return Answer(self._parser.get_status_code(), self._content_type, b"".join(self._body), raw)

    def feed(self, data: bytes) -> None:
        """Take what came; CallFailed when it is no HTTP, or too much."""
        self._pieces += 1
        self._first = self._first or data
        if not self._in_body:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise CallFailed(
                    Outcome.MALFORMED_HTTP, f"{error}; it began with {self._first[:80]!r}"
                ) from None
            self._extra = True
        if not self._in_body and not self.complete and self._head_bytes > MAX_HEAD_BYTES:
            raise CallFailed(Outcome.MALFORMED_HTTP, f"headers of more than {MAX_HEAD_BYTES:,} bytes")
        if self._too_large:
            raise CallFailed(Outcome.ANSWER_TOO_LARGE, f"an answer of more than {self._max_bytes:,} bytes")

    def end(self) -> None:
        """The server closed; CallFailed unless that is how the answer says that it ends."""
        self._keep_alive = False
        if self._in_body and not self._has_length:
            self.complete = True
            return
        where = "in its body" if self._in_body else "in its head" if self._pieces else "before its first byte"
        raise CallFailed(Outcome.CONNECTION_CLOSED, f"the server closed the connection {where}")

    def on_message_begin(self) -> None:
        self._extra = self._extra or self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.complete:
            return
        name = name.lower()
        if name == b"content-type":
            self._content_type = value.decode("latin-1")
        elif name in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._max_bytes:
            self._too_large = True
            self._body.clear()
        elif not self.complete:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.complete:
            return
        if 100 <= self._parser.get_status_code() < 200:
            self._in_body = self._has_length = False
            self._head_bytes = 0
            self._pieces = 2  # its bytes are no answer that a later one could be compared with
            return
        self._keep_alive = self._parser.should_keep_alive()
        self.complete = True
