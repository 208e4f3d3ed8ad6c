"""A connection times a stream's chunks as its server sent them, and survives every stream there can be."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import Answer, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed
from scorebench.client.connection import Connection
from scorebench.client.streaming import StreamingConnection
from scorebench.client.target import Target
from scorebench.client.watchdog import Watchdog
from scorebench.errors import InputError
from scorebench.options.settings import from_namespace
from scorebench.payloads.payload import Payload
from scorebench.payloads.stream_flag import asking_for_a_stream, telling_of_streams
from scorebench.recordings.recording import Recording
from tests.client import USUAL, answer_of, connection_to, request_to
from tests.commands import Done, scorebench
from tests.recordings import calls, evenly
from tests.scoring_server import (
    Behaviour,
    End,
    Framing,
    Record,
    Reply,
    ScoringServer,
    replies,
    scoring_server,
)

CHUNKS = tuple(b'data: {"n": %d}\n\n' % n for n in range(5))
DONE = b"data: [DONE]\n\n"
WHOLE = replies.streamed(*CHUNKS, DONE)
SLOW = replies.streamed(*CHUNKS, DONE, pause_s=0.02)


@contextmanager
def streaming_to(server: ScoringServer, **options: Any) -> Iterator[StreamingConnection]:
    """A connection that expects streams, closed at the end."""
    connection = StreamingConnection(Target.parse(server.url), Watchdog(), **(USUAL | options))
    try:
        yield connection
    finally:
        connection.close()


def streams_of(reply: Reply, number: int = 1, **options: Any) -> tuple[list[Streamed], list[Record]]:
    """What `number` calls got that are answered with `reply`, and the server's log."""
    with scoring_server(Behaviour(default=reply)) as server, streaming_to(server, **options) as connection:
        answers = [answer_of(connection, request_to(server)) for _ in range(number)]
        return [answer.stream for answer in answers if answer.stream], server.log()


def outcome_of(reply: Reply, **options: Any) -> Outcome:
    """What one call came to, and that the next one is answered all the same."""
    behaviour = Behaviour(script={0: reply}, default=WHOLE)
    with scoring_server(behaviour) as server, streaming_to(server, **options) as connection:
        try:
            outcome = Judge((2,)).judge(0, answer_of(connection, request_to(server)))
        except CallFailed as failed:
            outcome = failed.outcome
        after = answer_of(connection, request_to(server)).stream
        assert after is not None
        assert (after.outcome, after.chunks) == (Outcome.VALID, len(CHUNKS))
        assert len(server.log()) == 2
    return outcome


def test_no_chunk_is_earlier_than_its_server_sent_it() -> None:
    """Both clocks are CLOCK_MONOTONIC: each chunk came after it left, and so did the end.

    The server's third piece is its second chunk: the head leaves first.
    """
    found, log = streams_of(SLOW, 3)
    for stream, record in zip(found, log, strict=True):
        assert (stream.outcome, stream.chunks) == (Outcome.VALID, 5)
        assert stream.first_s is not None
        assert stream.end_s is not None
        times_s = [stream.first_s]
        for gap_s in stream.gaps_s:
            times_s.append(times_s[-1] + gap_s)
        sent_s = record.pieces_s[1:6]
        assert all(came + 1e-6 >= left for came, left in zip(times_s, sent_s, strict=True))
        assert stream.end_s >= record.pieces_s[6]
    assert {record.connection for record in log} == {0}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(WHOLE, id="chunked"),
        pytest.param(replace(WHOLE, framing=Framing.LENGTH), id="with a length"),
        pytest.param(replies.streamed(*CHUNKS, DONE, framing=Framing.UNTIL_CLOSE), id="until it closes"),
        pytest.param(replies.streamed(*(bytes([b]) for b in b"".join((*CHUNKS, DONE)))), id="byte by byte"),
        pytest.param(replies.streamed(b"".join((*CHUNKS, DONE))), id="at once"),
        pytest.param(replies.streamed(*(one.replace(b"\n", b"\r\n") for one in (*CHUNKS, DONE))), id="CRLF"),
        pytest.param(replies.streamed(*(one.replace(b"\n", b"\r") for one in (*CHUNKS, DONE))), id="CR"),
        pytest.param(replies.streamed(*(b": ping\n\n" + one for one in (*CHUNKS, DONE))), id="comments"),
        pytest.param(
            replies.streamed(*(b'data: {"n":\ndata: 1}\n\n' for _ in CHUNKS), DONE), id="data of two lines"
        ),
        pytest.param(replies.streamed(*CHUNKS, DONE, b": bye\n\n"), id="a comment after the end"),
    ],
)
def test_streams_in_every_shape(reply: Reply) -> None:
    """Each has five chunks and its end, by the rules of the format, however the bytes come."""
    found, log = streams_of(reply, 2)
    assert [(one.outcome, one.chunks, len(one.gaps_s)) for one in found] == [(Outcome.VALID, 5, 4)] * 2
    assert len(log) == 2


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param(replies.streamed(*CHUNKS), Outcome.STREAM_CUT_OFF, id="no end"),
        pytest.param(
            replies.streamed(*CHUNKS, b"data: [DONE]\n"), Outcome.STREAM_CUT_OFF, id="no blank line"
        ),
        pytest.param(replace(WHOLE, cut=4, end=End.CLOSE), Outcome.STREAM_CUT_OFF, id="closed in its middle"),
        pytest.param(replace(WHOLE, cut=4, end=End.RESET), Outcome.CONNECTION_RESET, id="reset"),
        pytest.param(replace(WHOLE, cut=-1, end=End.CLOSE), Outcome.VALID, id="closed behind its end"),
        pytest.param(replace(WHOLE, cut=-1), Outcome.VALID, id="silent behind its end"),
        pytest.param(
            replies.streamed(*CHUNKS, b'data: {"error": "out of memory"}\n\n', DONE),
            Outcome.MODEL_ERROR,
            id="an error event",
        ),
        pytest.param(replace(WHOLE, status=503), Outcome.OVERLOADED, id="another status"),
        pytest.param(replies.PREDICTED, Outcome.VALID, id="no stream"),
        pytest.param(replies.NOT_JSON, Outcome.NOT_PARSEABLE, id="no stream and no predictions"),
        pytest.param(
            replies.streamed(b"data: " + b"x" * 400_000), Outcome.ANSWER_TOO_LARGE, id="an endless event"
        ),
        pytest.param(replace(WHOLE, cut=4), Outcome.CLIENT_TIMEOUT, id="it never goes on"),
        pytest.param(
            replies.streamed(*(CHUNKS[0] for _ in range(1_000)), pause_s=0.01),
            Outcome.CLIENT_TIMEOUT,
            id="it never ends",
        ),
    ],
)
def test_a_broken_stream_is_the_outcome_of_its_call_alone(reply: Reply, outcome: Outcome) -> None:
    """What became of the stream is said by name; the next call is answered, and none is sent twice."""
    late = outcome is Outcome.CLIENT_TIMEOUT
    assert outcome_of(reply, max_answer_bytes=300_000, timeout_s=1.5 if late else 20.0) is outcome


def test_plain_calls_enter_no_code_of_streams() -> None:
    """From the connection to the tally: who asks for no stream runs no line of what reads them."""
    entered = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            entered.add(Path(frame.f_code.co_filename).name)

    judge, recording = Judge((2,)), Recording()
    with scoring_server() as server, connection_to(server.url) as connection:
        request = request_to(server)
        sys.setprofile(note)
        try:
            first = answer_of(connection, request)
            assert judge.judge(0, first) is Outcome.VALID
            assert isinstance(connection.call(request, first.raw), Answer | None)
            recording.add(calls(evenly(10)))
        finally:
            sys.setprofile(None)
    assert "connection.py" in entered
    assert not {name for name in entered if "stream" in name}
    assert type(connection) is Connection


def body_in(folder: Path, text: str = '{"inputs": [1.10, 2e0], "stream": false}') -> str:
    """A body as a file."""
    (folder / "body.json").write_text(text)
    return "body.json"


def stream_run(tmp_path: Path, reply: Reply, *words: str) -> tuple[Done, list[Record]]:
    """A run that asks for streams, and the server's log of it."""
    with scoring_server(Behaviour(default=reply)) as server:
        done = scorebench(tmp_path, "run", server.url, "--body", body_in(tmp_path), "--stream", *words)
        return done, server.log()


def test_a_run_of_streams_has_figures_that_its_server_confirms(tmp_path: Path) -> None:
    """By two processes, 30 calls of 5 chunks 20 ms apart: counts as the server's, times never below its own.

    The limit on first chunks is judged; the body has the flag and is otherwise as written.
    """
    usage = b'data: {"usage": {"prompt_tokens": 3, "completion_tokens": 5}}\n\n'
    reply = replies.streamed(*CHUNKS[:4], usage, DONE, pause_s=0.02)
    words = ["--calls", "30", "--users", "2", "--processes", "2", "--keep-calls"]
    limits = ["--limit", "first_chunk_mean<20s", "--limit", "chunks>0.1/s"]
    done, log = stream_run(tmp_path, reply, *words, *limits)
    assert (done.code, len(log)) == (0, 30), done.out + done.err
    assert {record.body for record in log} == {b'{"inputs":[1.10, 2e0],"stream":true}'}
    assert {record.headers["accept"] for record in log} == {"text/event-stream, application/json"}
    found = done.summary["streams"]
    assert (found["streams"], found["chunks"]) == (30, 150)
    assert (found["prompt_tokens"], found["output_tokens"]) == (90, 150)
    assert found["size_bytes"] == 30 * sum(map(len, reply.stream))
    least_s = min(record.pieces_s[1] - record.first_byte_s for record in log)
    assert found["first_chunk_s"]["min"] >= least_s - 1e-6
    assert found["first_chunk_s"]["max"] < done.summary["service_time_s"]["max"]
    assert 0.01 < found["chunk_gap_s"]["mean"] < 1.0
    assert "30 streams with 150 chunks: " in done.out
    metrics = done.summary["metrics"]
    assert metrics["first_chunk_mean"]["value"] == found["first_chunk_s"]["mean"]
    assert metrics["output_tokens"]["value"] == pytest.approx(metrics["chunks"]["value"])
    import pandas as pd

    kept = pd.read_parquet(done.folders[0] / "calls.parquet")
    assert (len(kept), kept["chunks"].sum()) == (30, 150)
    assert kept["first_chunk_s"].mean() == pytest.approx(found["first_chunk_s"]["mean"], abs=2e-6)
    assert ((kept["done_s"] - kept["sent_s"]) > kept["first_chunk_s"]).all()
    page = (done.folders[0] / "report.html").read_text()
    assert "Chunks by percentile" in page
    assert "30 streams with 150 chunks" in page
    again = scorebench(tmp_path, "report", str(done.folders[0]), "--format", "json")
    assert json.loads(again.out)["streams"] == found


def test_a_server_that_does_not_stream_is_told_and_measured_as_plain(tmp_path: Path) -> None:
    """All answers are valid as plain ones; the finding counts them, and a limit on chunks is not decided."""
    words = ["--calls", "12", "--users", "2", "--limit", "first_chunk_p50<1s"]
    done, _ = stream_run(tmp_path, replies.PREDICTED, *words)
    findings = {one["code"]: one["text"] for one in done.summary["verdict"]["findings"]}
    assert findings["not_streamed"].startswith("12 of 12 valid answers were no streams")
    assert (done.summary["valid"], done.summary["streams"], done.summary["verdict"]["met"]) == (
        12,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"limit": ["first_chunk_p95<1s"]}, "--limit first_chunk_p95<1s: only streams have it; add --stream"),
        ({"stop_when": ["chunks<1/s for 5s"]}, "--stop-when chunks<1/s for 5s: only streams have it"),
    ],
)
def test_figures_of_streams_take_streams(asked: dict[str, list[str]], said: str) -> None:
    """A limit that no call could decide is refused before the run."""
    with pytest.raises(InputError) as refused:
        from_namespace(Namespace(**asked), "http://localhost:1")
    assert said in str(refused.value)
    assert from_namespace(Namespace(**asked, stream=True), "http://localhost:1").stream


def test_the_flag_stands_in_json_objects_alone() -> None:
    """All other values stay byte for byte; what has no place for a flag is refused by its number."""
    bodies = (b'{"a": 1.10}', b'{"stream":false, "b": [ 1e5 ]}', b'{"stream": true}')
    made = asking_for_a_stream(Payload(bodies, (1, 1, 1), "application/json", "inputs"))
    assert made.bodies == (b'{"a":1.10,"stream":true}', b'{"stream":true,"b":[ 1e5 ]}', b'{"stream":true}')
    assert telling_of_streams(made).notes[0].startswith("3 of 3 bodies ask for a stream by themselves")
    assert telling_of_streams(Payload((bodies[0], b'"stream"'), (1, 1), "application/json", "x")).notes == ()
    for body in (b"a,b\n1,2\n", b"[1]", b""):
        with pytest.raises(InputError, match="--stream: body 2 is no JSON object"):
            asking_for_a_stream(Payload((bodies[0], body), (1, 1), "text/csv", "csv"))
