"""Servers with bad manners: one record for each behaviour, and what must become of the calls that meet it.

Knows the fake server's replies and the names of outcomes; sends nothing. To add a behaviour, add a record.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from scorebench.answers.outcome import FATES, Outcome
from tests.scoring_server import Framing, Predictions, Reply, replies
from tests.scoring_server.replies import HTML, TEXT, End, Read

TIMEOUT_S = 0.5
MOST_BYTES = 300_000
"""The caps of the client that meets them: smaller than by default, so that a case takes no time."""
PATIENCE_S = 20.0
"""The timeout where none is expected: a busy machine causes none."""

VALID = FATES[Outcome.VALID].label
GOOD = b'{"predictions": [1.0]}'
OK = Reply()
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"transfer-encoding: chunked\r\n\r\n"
BROKEN_TEXT = "<script>alert(1)</script>\x1b[31m ::error::x | a | =1+1 \u202e"


@dataclass(frozen=True)
class Hostile:
    """`does` completes "the server …". Each call meets the reply of its number, and must end as expected."""

    does: str
    replies: tuple[Reply, ...]
    expected: tuple[str, ...]
    nulls: bool = True
    """Whether the model's signature allows a null."""
    pause_s: float = 0.0
    """Between two calls."""
    unasked: int = 0
    """How often at least the client must notice bytes that no call asked for; 0: never."""

    @property
    def timeout_s(self) -> float:
        """How long the client waits for an answer."""
        return TIMEOUT_S if FATES[Outcome.CLIENT_TIMEOUT].label in self.expected else PATIENCE_S


def every(does: str, reply: Reply, outcome: Outcome, calls: int = 2, **more: Any) -> Hostile:
    """The same reply to each call."""
    return Hostile(does, (reply,) * calls, (FATES[outcome].label,) * calls, **more)


def every_other(does: str, reply: Reply, outcome: Outcome) -> Hostile:
    """Each second call is answered well."""
    label = FATES[outcome].label
    return Hostile(does, (OK, reply, OK, reply), (VALID, label, VALID, label))


def raw(message: bytes, end: End = End.CLOSE) -> Reply:
    return Reply(raw=message, end=end)


def slowly(message: bytes, piece_bytes: int, pause_s: float) -> Reply:
    return Reply(raw=message, piece_bytes=piece_bytes, pause_s=pause_s)


def says(body: bytes) -> Reply:
    """A 200 with this body."""
    return Reply(body=body)


def padded(answer_bytes: int) -> Reply:
    """An answer of exactly that many bytes, sent twice at once."""
    body = GOOD.ljust(answer_bytes - 100)
    once = Reply(body=GOOD.ljust(len(body) + answer_bytes - len(Reply(body=body).message([]))))
    assert len(once.message([])) == answer_bytes
    return Reply(body=once.body, after=once.message([]))


def length(value: bytes) -> bytes:
    return HEAD + b"content-length: " + value + b"\r\n\r\n" + GOOD


WORKS = Reply(cut=0, end=End.CLOSE, service_s=0.05)

BREAKS = (
    every("answers well", OK, Outcome.VALID),
    every("closes before the answer", replies.CLOSED, Outcome.CONNECTION_CLOSED),
    every("resets before the answer", replies.RESET, Outcome.CONNECTION_RESET),
    every_other("works on each second call and closes", WORKS, Outcome.CONNECTION_CLOSED),
    every_other(
        "works on each second call and resets",
        Reply(cut=0, end=End.RESET, service_s=0.05),
        Outcome.CONNECTION_RESET,
    ),
    every_other("closes each second call at once", replies.CLOSED, Outcome.CONNECTION_CLOSED),
    every("closes in the head", replies.CUT_IN_HEAD, Outcome.CONNECTION_CLOSED),
    every("closes after the head", raw(HEAD + b"content-length: 23\r\n\r\n"), Outcome.CONNECTION_CLOSED),
    every("closes in the body", replies.CUT_IN_BODY, Outcome.CONNECTION_CLOSED),
    every("resets in the body", replies.RESET_IN_BODY, Outcome.CONNECTION_RESET),
    every("closes before the last chunk", replies.CUT_IN_CHUNKS, Outcome.CONNECTION_CLOSED),
    every(
        "ends its side and reads on",
        Reply(cut=0, end=End.CLOSE, read=Read.HEAD_THEN_REST),
        Outcome.CONNECTION_CLOSED,
    ),
    Hostile("closes without a word after each answer", (replies.STALE,) * 3, (VALID,) * 3, pause_s=0.05),
    every("says `connection: close` and closes", replies.CLOSING, Outcome.VALID),
    every("ends the body by closing", replies.UNTIL_CLOSE, Outcome.VALID),
    every("never answers", replies.NEVER, Outcome.CLIENT_TIMEOUT),
    every("stops in the body", replies.STALLED, Outcome.CLIENT_TIMEOUT),
    every("answers later than the timeout", Reply(service_s=2.0), Outcome.CLIENT_TIMEOUT),
    every("answers late, but in time", Reply(service_s=0.2), Outcome.VALID),
)
TRICKLES = (
    every("sends a byte each millisecond", replies.DRIP, Outcome.VALID),
    every("sends a byte each 0.1 s", Reply(piece_bytes=1, pause_s=0.1), Outcome.CLIENT_TIMEOUT),
    every(
        "sends headers for ever, slowly", slowly(HEAD + b"x-a: b\r\n" * 99, 8, 0.1), Outcome.CLIENT_TIMEOUT
    ),
    every(
        "sends `100 Continue` for ever, slowly",
        slowly(replies.CONTINUE_FIRST.before * 99, 25, 0.1),
        Outcome.CLIENT_TIMEOUT,
    ),
    every(
        "sends the body slower than the timeout", Reply(piece_bytes=20, pause_s=0.2), Outcome.CLIENT_TIMEOUT
    ),
)
LENGTHS = (
    every("says a length 50 too long and closes", raw(length(b"72")), Outcome.CONNECTION_CLOSED),
    every("says a length 50 too long and waits", raw(length(b"72"), End.KEEP), Outcome.CLIENT_TIMEOUT),
    every("says a length 5 too short", raw(length(b"17"), End.KEEP), Outcome.NOT_PARSEABLE, unasked=2),
    every("says a length of 10^18 and closes", raw(length(b"1" + b"0" * 18)), Outcome.CONNECTION_CLOSED),
    every("says a length beyond 64 bits", raw(length(b"9" * 23)), Outcome.MALFORMED_HTTP),
    every("says a negative length", raw(length(b"-1")), Outcome.MALFORMED_HTTP),
    every("says a length that is not a number", raw(length(b"0x16")), Outcome.MALFORMED_HTTP),
    every(
        "says two lengths",
        raw(HEAD + b"content-length: 22\r\n" + length(b"5")[len(HEAD) :]),
        Outcome.MALFORMED_HTTP,
    ),
    every(
        "says a length and chunks",
        raw(
            HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n16\r\n" + GOOD + b"\r\n0\r\n\r\n"
        ),
        Outcome.MALFORMED_HTTP,
    ),
    every(
        "sends a chunk longer than it says",
        raw(CHUNKS + b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"),
        Outcome.MALFORMED_HTTP,
    ),
    every("sends a chunk shorter than it says", raw(CHUNKS + b"ff\r\n" + GOOD), Outcome.CONNECTION_CLOSED),
    every(
        "sends a chunk size beyond 64 bits", raw(CHUNKS + b"f" * 18 + b"\r\n" + GOOD), Outcome.MALFORMED_HTTP
    ),
    every("sends a chunk size that is not a number", raw(CHUNKS + b"xyz\r\n" + GOOD), Outcome.MALFORMED_HTTP),
    every("sends good chunks", replies.CHUNKED, Outcome.VALID),
)
FLOODS = (
    every("sends 65,536 header lines", raw(HEAD + b"x: y\r\n" * 65_536), Outcome.MALFORMED_HTTP),
    every("sends a header of 1 MB", raw(HEAD + b"x: " + b"a" * 2**20 + b"\r\n\r\n"), Outcome.MALFORMED_HTTP),
    every(
        "sends `100 Continue` without end",
        raw(replies.CONTINUE_FIRST.before * 40_000),
        Outcome.MALFORMED_HTTP,
    ),
    every("sends a chunk extension of 1 MB", raw(CHUNKS + b"16;" + b"a" * 2**20), Outcome.MALFORMED_HTTP),
    every(
        "sends trailers of 1 MB",
        raw(CHUNKS + b"16\r\n" + GOOD + b"\r\n0\r\n" + (b"x-t: " + b"v" * 8_000 + b"\r\n") * 130),
        Outcome.MALFORMED_HTTP,
    ),
    every("sends a body above the cap", replies.huge(MOST_BYTES + 1), Outcome.ANSWER_TOO_LARGE),
    every(
        "sends chunks above the cap", replies.huge(MOST_BYTES + 1, Framing.CHUNKED), Outcome.ANSWER_TOO_LARGE
    ),
    every(
        "sends a body without a length or an end",
        raw(HEAD + b"\r\n" + b"x" * 2**20, End.KEEP),
        Outcome.ANSWER_TOO_LARGE,
    ),
)
NOT_HTTP = (
    every("speaks SSH", replies.NOT_HTTP, Outcome.MALFORMED_HTTP),
    every(
        "speaks HTTP/2", raw(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01"), Outcome.MALFORMED_HTTP
    ),
    every("speaks HTTP/0.9", raw(GOOD), Outcome.MALFORMED_HTTP),
    every("sends noise", raw(bytes(range(128, 256)) * 4), Outcome.MALFORMED_HTTP),
    every("sends noise and waits", raw(bytes(range(128, 256)) * 4, End.KEEP), Outcome.MALFORMED_HTTP),
    every("sends NUL bytes", raw(b"\0" * 500), Outcome.MALFORMED_HTTP),
    every("sends a status line in the wrong order", replies.MALFORMED, Outcome.MALFORMED_HTTP),
    every(
        "switches to another protocol",
        raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
        Outcome.MALFORMED_HTTP,
    ),
    every(
        "sends `100 Continue` and `103 Early Hints` first",
        Reply(before=replies.CONTINUE_FIRST.before + replies.HINTS_FIRST.before),
        Outcome.VALID,
    ),
)
TWICE = (
    every(
        "sends each answer twice",
        Reply(body=GOOD, after=Reply(body=GOOD).message([])),
        Outcome.VALID,
        3,
        unasked=3,
    ),
    every("sends each answer of 470 bytes twice", padded(470), Outcome.VALID, 3, unasked=3),
    every("sends each answer of 471 bytes twice", padded(471), Outcome.VALID, 3, unasked=3),
    every("sends each answer of 16 KiB twice", padded(16_384), Outcome.VALID, 3, unasked=2),
    every("sends noise behind each answer", Reply(after=b"noise"), Outcome.VALID, 3, unasked=3),
    every("sends an empty line behind each answer", Reply(after=b"\r\n"), Outcome.VALID, 3),
)
STATUSES = (
    every("answers 400", replies.rejected(), Outcome.REJECTED),
    every("answers 400 with a stack trace", replies.model_error(), Outcome.MODEL_ERROR),
    every(
        "answers 400 with commands for a terminal and GitHub",
        Reply(400, json.dumps({"error_code": "X", "message": BROKEN_TEXT}).encode()),
        Outcome.REJECTED,
    ),
    every("answers 401", replies.UNAUTHORIZED, Outcome.UNAUTHORIZED),
    every("answers 403", Reply(403, b"{}"), Outcome.UNAUTHORIZED),
    every("answers 404", replies.NOT_FOUND, Outcome.NOT_FOUND),
    every("answers 405", replies.NO_METHOD, Outcome.OTHER_STATUS),
    every("answers 413 from nginx", replies.nginx(413), Outcome.TOO_LARGE),
    every("answers 415", replies.unsupported("x/y"), Outcome.UNSUPPORTED_MEDIA_TYPE),
    every("answers 422", Reply(422, b'{"detail": []}'), Outcome.REJECTED),
    every("answers 429", replies.TOO_MANY, Outcome.OVERLOADED),
    every("answers 500", replies.CRASHED, Outcome.MODEL_ERROR),
    every("answers 502 from nginx", replies.nginx(502), Outcome.GATEWAY_ERROR),
    every("answers 503 and closes", replies.OVERLOADED, Outcome.OVERLOADED),
    every("answers 504 from nginx", replies.nginx(504), Outcome.GATEWAY_TIMEOUT),
    every("answers MLflow's 504", replies.MLFLOW_TIMEOUT, Outcome.SERVER_TIMEOUT),
    every("answers 201 with predictions", Reply(201, GOOD), Outcome.OTHER_STATUS),
    every("answers 204", raw(b"HTTP/1.1 204 No Content\r\n\r\n", End.KEEP), Outcome.OTHER_STATUS),
    every(
        "redirects",
        Reply(307, b"", headers=(("location", "http://127.0.0.1:9/stolen"),)),
        Outcome.OTHER_STATUS,
    ),
    every("answers 999", Reply(999, GOOD), Outcome.OTHER_STATUS),
)
BODIES = (
    every("answers 200 with nothing", replies.EMPTY, Outcome.NOT_PARSEABLE),
    every("answers 200 with a page", Reply(body=b"<html></html>", content_type=HTML), Outcome.NOT_PARSEABLE),
    every("answers 200 with text", Reply(body=b"5.47", content_type=TEXT), Outcome.NOT_PARSEABLE),
    every(
        "answers 200 compressed",
        Reply(body=gzip.compress(GOOD), headers=(("content-encoding", "gzip"),)),
        Outcome.NOT_PARSEABLE,
    ),
    every("sends the request back", says(b'{"inputs": [[1]]}'), Outcome.NOT_PARSEABLE),
    every("answers one prediction too few", replies.WRONG_COUNT, Outcome.WRONG_COUNT),
    every("answers one prediction too many", replies.ONE_TOO_MANY, Outcome.WRONG_COUNT),
    every("predicts NaN", replies.NAN, Outcome.NAN_PREDICTION),
    every("predicts Infinity", says(b'{"predictions": [Infinity]}'), Outcome.NOT_PARSEABLE),
    every("predicts 1e999", says(b'{"predictions": [1e999]}'), Outcome.OUT_OF_RANGE),
    every("predicts an integer of 400 digits", says(b"[" + b"9" * 400 + b"]"), Outcome.OUT_OF_RANGE),
    every("predicts an integer of 100,000 digits", says(b"[" + b"9" * 100_000 + b"]"), Outcome.NOT_PARSEABLE),
    every(
        "predicts null, where the signature allows none",
        says(b'{"predictions": [null]}'),
        Outcome.NULL_PREDICTION,
        nulls=False,
    ),
    every("predicts null, where nobody knows", says(b'{"predictions": [null]}'), Outcome.VALID),
    every("predicts an error object", says(b'{"predictions": {"error": "boom"}}'), Outcome.ERROR_INSIDE),
    every(
        "predicts an MLflow error", says(b'[{"error_code": "X", "message": "boom"}]'), Outcome.ERROR_INSIDE
    ),
    every(
        "answers 200 with an MLflow error",
        says(b'{"error_code": "X", "message": "boom"}'),
        Outcome.ERROR_INSIDE,
    ),
    every("predicts the text `Internal Server Error`", says(b'["Internal Server Error"]'), Outcome.VALID),
    every(
        "predicts columns of unequal length",
        says(b'{"predictions": {"a": [1], "b": [1, 2]}}'),
        Outcome.NOT_PARSEABLE,
    ),
    every("answers lists 100,000 deep", says(b"[" * 100_000 + b"]" * 100_000), Outcome.NOT_PARSEABLE),
    every("stops in the middle of the JSON", says(GOOD[:-3]), Outcome.NOT_PARSEABLE),
    every("answers bytes that are not UTF-8", says(b'["\xff\xfe"]'), Outcome.NOT_PARSEABLE),
    every("answers with a byte order mark", says(b"\xef\xbb\xbf" + GOOD), Outcome.VALID),
    every("answers as MLflow 1.x", replies.BARE_LIST, Outcome.VALID),
    every(
        "answers 200,000 bytes of numbers for one row",
        says(b"[" + b"1.5," * 50_000 + b"1]"),
        Outcome.WRONG_COUNT,
    ),
    Hostile(
        "changes its predictions from call to call", tuple(says(b"[%d]" % n) for n in range(4)), (VALID,) * 4
    ),
    Hostile(
        "answers well, wrong, well",
        (OK, replies.NAN, OK),
        (VALID, FATES[Outcome.NAN_PREDICTION].label, VALID),
    ),
    Hostile(
        "answers with fewer predictions than rows, then none",
        (Reply(body=Predictions(extra=-1)), says(b"[]")),
        (FATES[Outcome.WRONG_COUNT].label,) * 2,
    ),
)
HOSTILE: dict[str, tuple[Hostile, ...]] = {
    "Breaks": BREAKS,
    "Trickles": TRICKLES,
    "Lengths and chunks": LENGTHS,
    "Floods": FLOODS,
    "Not HTTP": NOT_HTTP,
    "Twice": TWICE,
    "Statuses": STATUSES,
    "Bodies": BODIES,
}
ALL = tuple(case for cases in HOSTILE.values() for case in cases)
