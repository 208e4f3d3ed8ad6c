"""An answer's bytes are read alike however they are cut, and no bytes at all break the reader."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scorebench.answers.http_message import MAX_HEAD_BYTES, Answer, AnswerParser, CallFailed
from scorebench.answers.outcome import Outcome
from tests.scoring_server import replies

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: 2\r\n\r\n[]"
PREDICTIONS = [5.5, 6.25]
VALID = [
    reply.message(PREDICTIONS)
    for reply in (
        replies.PREDICTED,
        replies.CHUNKED,
        replies.CLOSING,
        replies.EMPTY,
        replies.CONTINUE_FIRST,
        replies.HINTS_FIRST,
        replies.NAN,
        replies.nginx(502),
        replies.model_error(),
    )
]
HTTP_WORDS = [
    *(b"HTTP/1.1 ", b"200 OK", b"100 Continue", b"101 X", b"204 ", b"\r\n", b"\r\n\r\n", b"\n"),
    *(b"content-length: ", b"transfer-encoding: chunked", b"connection: close", b"content-type: "),
    *(b"upgrade: x\r\nconnection: upgrade", b"0", b"2", b"ff", b"-1", b"99999999999999999999", b";x=y"),
    *(b"ab", b"\x00", b"\xff", b" ", b":"),
]


def read(pieces: list[bytes], *, closed: bool = False, max_bytes: int = 1000) -> AnswerParser:
    """What a parser made of these pieces, one after the other, until the answer was whole."""
    parser = AnswerParser(max_bytes)
    for piece in pieces:
        if parser.complete:
            break
        parser.feed(piece)
    if closed and not parser.complete:
        parser.end()
    return parser


def failure(pieces: list[bytes], **options: int) -> Outcome:
    """The outcome that reading these pieces to their end fails with."""
    with pytest.raises(CallFailed) as caught:
        read(pieces, closed=True, **options)
    return caught.value.outcome


def result(pieces: list[bytes], max_bytes: int = 1000) -> Answer | CallFailed:
    """The answer in these pieces, or what is wrong with them."""
    try:
        return read(pieces, closed=True, max_bytes=max_bytes).answer
    except CallFailed as failed:
        return failed


def fields(answer: Answer) -> tuple[int, str, bytes]:
    return answer.status, answer.content_type, answer.body


def cut(message: bytes, places: list[int]) -> list[bytes]:
    """The message, cut at these places (beyond its end: not at all)."""
    bounds = sorted({0, len(message), *(place for place in places if place < len(message))})
    return [message[start:end] for start, end in pairwise(bounds)]


@given(st.sampled_from(VALID), st.lists(st.integers(1, 600)))
def test_a_cut_answer_is_the_whole_one(message: bytes, places: list[int]) -> None:
    """Wherever the network cuts an answer, its status, type, body and reuse are the same."""
    whole, pieces = read([message]), read(cut(message, places))
    assert fields(whole.answer) == fields(pieces.answer)
    assert whole.reusable == pieces.reusable


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(HTTP_WORDS)), max_size=40))
@example([WHOLE])
@example([b"HTTP/1.1 200 OK\r\n\r\n", b"\xff" * 2000])
def test_no_bytes_break_the_reader(pieces: list[bytes]) -> None:
    """Whatever comes, and however it ends, is an answer or a failed call with a name and a line of text."""
    for found in (result([piece for piece in pieces if piece]), result([b"".join(pieces)] if pieces else [])):
        if isinstance(found, Answer):
            assert len(found.body) <= 1000
        else:
            assert found.outcome.label
            assert "\n" not in str(found)


@given(st.sampled_from(VALID), st.data())
def test_no_changed_byte_breaks_the_reader(message: bytes, data: st.DataObject) -> None:
    """An answer with a few bytes changed is read or refused."""
    changed = bytearray(message)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    found = result([bytes(changed)], max_bytes=10_000)
    refused = (Outcome.MALFORMED_HTTP, Outcome.CONNECTION_CLOSED, Outcome.ANSWER_TOO_LARGE)
    assert isinstance(found, Answer) or found.outcome in refused


@given(st.sampled_from(VALID), st.integers(0, 600))
def test_a_cut_off_answer_is_none(message: bytes, kept: int) -> None:
    """An answer that tells its length and ends before it is no answer."""
    kept = min(kept, len(message) - 1)
    assert failure([message[:kept]] if kept else []) is Outcome.CONNECTION_CLOSED


def test_a_body_without_length_ends_with_the_connection() -> None:
    """And a transfer coding other than chunked is no length either."""
    for header in (b"", b"transfer-encoding: gzip\r\n"):
        parser = read([HEAD + header + b"\r\n[1", b"]"], closed=True)
        assert fields(parser.answer) == (200, "application/json", b"[1]")
        assert not parser.reusable


def test_what_follows_an_answer_changes_nothing_of_it() -> None:
    """Status, type and body are the first answer's; the connection is of no more use."""
    other = b"HTTP/1.1 500 No\r\ncontent-type: text/html\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000
    for after in (other, other[:30], b"garbage", b"\r\n\r\nx", b"HTTP/1.1 100 Continue\r\n\r\n"):
        parser = read([WHOLE + after], max_bytes=100)
        assert fields(parser.answer) == (200, "application/json", b"[]")
        assert parser.answer.raw is None
        assert not parser.reusable


def test_headers_of_interim_answers_and_trailers_are_not_the_answers() -> None:
    """What stands before or after is not mistaken for its head."""
    hints = b"HTTP/1.1 103 Early Hints\r\ncontent-type: text/html\r\n\r\n"
    assert read([hints + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).answer.content_type == ""
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\ncontent-type: text/html\r\n\r\n"
    assert fields(read([chunked]).answer) == (200, "application/json", b"[]")


def test_an_answer_without_a_body() -> None:
    """204 and 304 have none, whatever their head says."""
    assert read([b"HTTP/1.1 204 No Content\r\n\r\n"]).reusable
    assert read([b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"]).answer.body == b""


def test_raw_is_the_answer_that_came_in_one_piece() -> None:
    """Only such bytes can be compared with a later answer's; cut, after 1xx or closing it has none."""
    assert read([WHOLE]).answer.raw == WHOLE
    closing = HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n[]"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    for pieces in ([WHOLE[:50], WHOLE[50:]], [interim + WHOLE], [interim, WHOLE], [closing]):
        assert read(pieces).answer.raw is None


def test_the_reader_knows_how_far_an_answer_is() -> None:
    """An interim answer and half a head decide nothing; the final head does."""
    parser = AnswerParser(2**20)
    assert parser.untouched
    seen = []
    for piece in (b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, b"content-length: 2\r\n\r\n", b"[]"):
        parser.feed(piece)
        seen.append((parser.untouched, parser.decided, parser.complete))
    assert seen == [(False, False, False), (False, False, False), (False, True, False), (False, True, True)]


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_HEAD_BYTES, id="a long header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, id="many headers"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * MAX_HEAD_BYTES, id="a long reason"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" * 4_000, id="interim answers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"x: y\r\n" * 20_000,
            id="trailers",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"x" * 100_000,
            id="a chunk's extension",
        ),
    ],
)
def test_a_flood_around_a_body_is_cut_off(flood: bytes) -> None:
    """A server cannot fill memory with what is no body: 64 KiB, and then the call has failed."""
    assert failure([flood[at : at + 1000] for at in range(0, len(flood), 1000)]) is Outcome.MALFORMED_HTTP


def test_a_body_in_chunks_of_one_byte_is_no_flood() -> None:
    """Five bytes of frame for each of the body: unusual, and allowed."""
    chunks = b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n"
    message = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks
    pieces = [message[at : at + 1000] for at in range(0, len(message), 1000)]
    assert read(pieces, max_bytes=50_000).answer.body == b"x" * 50_000


@pytest.mark.parametrize(
    "framing", [b"content-length: 101\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n65\r\n"]
)
def test_a_body_above_the_cap_is_refused(framing: bytes) -> None:
    """In one piece or in many, and not one byte below."""
    message = HEAD + framing + b"x" * 101
    assert failure([message], max_bytes=100) is Outcome.ANSWER_TOO_LARGE
    assert failure(cut(message, list(range(1, 400, 7))), max_bytes=100) is Outcome.ANSWER_TOO_LARGE
    assert len(read([message + b"\r\n0\r\n\r\n"], max_bytes=101).answer.body) == 101


def test_a_released_reader_leaves_memory_at_once() -> None:
    """Answers of megabytes must not wait for the garbage collector."""
    gc.disable()
    try:
        parser = read([WHOLE])
        parser.release()
        gone = weakref.ref(parser)
        del parser
        assert gone() is None
    finally:
        gc.enable()


def test_a_reader_that_is_not_released_waits_for_the_collector() -> None:
    """Else the test before this one would prove nothing."""
    gc.disable()
    try:
        parser = read([WHOLE])
        gone = weakref.ref(parser)
        del parser
        assert gone() is not None
    finally:
        gc.enable()
