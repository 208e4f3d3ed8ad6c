"""A stream is worth what its events say: it came to its end, it told an error, or it stopped before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.stream_message import StreamParser
from scorebench.answers.streams import PROTOCOLS, Streamed, StreamReader
from tests.commands import ROOT

DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def sse(*data: Any, kind: str = "") -> bytes:
    """Events with these data as JSON."""
    named = f"event: {kind}\n" if kind else ""
    return "".join(f"{named}data: {json.dumps(one)}\n\n" for one in data).encode()


def read(*pieces: bytes) -> Streamed:
    """What these pieces come to, of which the n-th comes at n seconds."""
    reader = StreamReader()
    for at_s, piece in enumerate(pieces):
        reader.feed(piece, float(at_s))
    return reader.result()


def test_chunks_have_their_times() -> None:
    """The first chunk at 1 s, the next at 1 s and 3 s; comments and [DONE] are none; the end at 4 s."""
    found = read(b": hello\n\n", sse({"n": 1}, {"n": 2}), b": ping\n\n", sse({"n": 3}), DONE)
    assert (found.outcome, found.chunks, found.first_s, found.end_s) == (Outcome.VALID, 3, 1.0, 4.0)
    assert found.gaps_s == (0.0, 2.0)
    size = len(b": hello\n\n" + sse({"n": 1}, {"n": 2}) + b": ping\n\n" + sse({"n": 3}) + DONE)
    assert found.size_bytes == size


@pytest.mark.parametrize(
    ("stream", "outcome"),
    [
        pytest.param(sse({"n": 1}) + DONE, Outcome.VALID, id="[DONE]"),
        pytest.param(
            sse({"type": "response.created"}, {"type": "response.completed"}), Outcome.VALID, id="R"
        ),
        pytest.param(sse({"type": "response.incomplete"}), Outcome.VALID, id="Responses, out of tokens"),
        pytest.param(sse({"type": "message_stop"}, kind="message_stop"), Outcome.VALID, id="Anthropic"),
        pytest.param(sse({"n": 1}), Outcome.STREAM_CUT_OFF, id="no end"),
        pytest.param(b"", Outcome.STREAM_CUT_OFF, id="nothing"),
        pytest.param(sse({"n": 1}) + b"data: [DONE]\n", Outcome.STREAM_CUT_OFF, id="no blank line"),
        pytest.param(DONE, Outcome.NOT_PARSEABLE, id="no chunk"),
        pytest.param(sse({"text": '"response.completed"'}), Outcome.STREAM_CUT_OFF, id="an end quoted"),
        pytest.param(sse({"n": {"type": "response.completed"}}), Outcome.STREAM_CUT_OFF, id="an end inside"),
        pytest.param(sse({"error": "it broke"}) + DONE, Outcome.MODEL_ERROR, id="AgentServer's error"),
        pytest.param(sse({"error": {"message": "it broke"}}), Outcome.MODEL_ERROR, id="chat's error"),
        pytest.param(sse({"type": "response.failed"}), Outcome.MODEL_ERROR, id="Responses failed"),
        pytest.param(sse({"type": "error", "message": "no"}), Outcome.MODEL_ERROR, id="Responses' error"),
        pytest.param(sse({"n": 1}) + sse("no", kind="error") + DONE, Outcome.MODEL_ERROR, id="by its kind"),
        pytest.param(sse({"n": 1}) + DONE + sse({"error": "late"}), Outcome.MODEL_ERROR, id="after the end"),
        pytest.param(sse({"error": None, "n": 1}) + DONE, Outcome.VALID, id="no error"),
        pytest.param(sse({"error": 0.25}) + DONE, Outcome.VALID, id="a number called error"),
        pytest.param(b"data: {{\n\n" + DONE, Outcome.VALID, id="text, not JSON"),
    ],
)
def test_what_a_stream_is_worth(stream: bytes, outcome: Outcome) -> None:
    """By the protocols' own documents: OpenAI's chat and Responses, Anthropic's Messages, MLflow's server."""
    assert read(stream).outcome is outcome
    assert read(*(bytes([byte]) for byte in stream)).outcome is outcome


def test_tokens_are_the_servers() -> None:
    """None where no usage came; the last count where several came; both spellings; null and lies are none."""
    assert (read(sse({"n": 1}) + DONE).output_tokens, read(DONE).prompt_tokens) == (None, None)
    chat = sse({"usage": None}, {"usage": {"prompt_tokens": 7, "completion_tokens": 1}})
    chat += sse({"usage": {"prompt_tokens": 7, "completion_tokens": 2}})
    responses = sse(
        {"type": "response.completed", "response": {"usage": {"input_tokens": 7, "output_tokens": 2}}}
    )
    anthropic = sse({"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 1}}})
    anthropic += sse({"type": "message_delta", "usage": {"output_tokens": 2}})
    for stream in (chat + DONE, responses, anthropic):
        assert (read(stream).prompt_tokens, read(stream).output_tokens) == (7, 2)
    for lie in (True, "3", -1, 1e3, 10**30, [1]):
        assert read(sse({"usage": {"completion_tokens": lie}}) + DONE).output_tokens is None


def parsed(*pieces: bytes, max_bytes: int = 1_000) -> StreamParser:
    """A parser that has read these pieces of an answer."""
    parser = StreamParser(max_bytes, clock=lambda: 1.0)
    for piece in pieces:
        parser.feed(piece)
    return parser


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def test_a_stream_that_http_cuts() -> None:
    """Closed within its chunks: cut off before its end, and whole behind it."""
    begun = parsed(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(sse({"n": 1})))
    with pytest.raises(CallFailed) as caught:
        begun.end()
    assert caught.value.outcome is Outcome.STREAM_CUT_OFF
    assert "a stream of 1 chunks that stopped before its end" in str(caught.value)
    over = parsed(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(sse({"n": 1}), DONE))
    over.end()
    assert over.answer.stream is not None
    assert (over.answer.stream.outcome, over.reusable) == (Outcome.VALID, False)


def test_until_the_connection_closes() -> None:
    """HTTP lets an answer without a length end so; whether the stream was whole its protocol says."""
    outcomes = []
    for stream in (sse({"n": 1}), sse({"n": 1}) + DONE):
        parser = parsed(HEAD + b"\r\n" + stream)
        parser.end()
        assert parser.answer.stream is not None
        outcomes.append(parser.answer.stream.outcome)
    assert outcomes == [Outcome.STREAM_CUT_OFF, Outcome.VALID]


def test_an_event_without_end_is_too_large() -> None:
    """An event is no larger than an answer may be."""
    with pytest.raises(CallFailed) as caught:
        parsed(HEAD + b"\r\ndata: ", b"x" * 1_000)
    assert caught.value.outcome is Outcome.ANSWER_TOO_LARGE


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
        b"HTTP/1.1 500 No\r\ncontent-type: text/event-stream\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_no_stream_is_an_answer(head: bytes) -> None:
    """Another type, or another status: its body is there for the judge, byte for byte."""
    parser = parsed(head + b"content-length: 14\r\n\r\ndata: [DONE]\n\n")
    assert (parser.answer.stream, parser.answer.body) == (None, DONE)


def test_a_valid_stream_keeps_no_body() -> None:
    """What is kept of a stream does not grow with it; of one that failed it is enough for an example."""
    body = sse(*({"n": n} for n in range(10))) + DONE
    whole = parsed(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
    assert (whole.answer.body, whole.answer.raw) == (b"", None)
    body = sse({"error": "x" * 5_000})
    failed = parsed(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body, max_bytes=10_000)
    assert len(failed.answer.body) == 2_000


def test_the_docs_name_each_protocol() -> None:
    """docs/streams.md has a line for each of the table."""
    page = (ROOT / "docs" / "streams.md").read_text()
    assert [one.name for one in PROTOCOLS if f"| {one.name} |" not in page] == []
