"""What the fake server is told to answer is what goes over the wire."""

from __future__ import annotations

import http.client
import json
from dataclasses import replace

import pytest

from tests.raw_client import ANSWER, ask, connect, read_answer, read_to_end, request
from tests.scoring_server import (
    Behaviour,
    Read,
    Record,
    Reply,
    replies,
    scoring_server,
)


def call_once(behaviour: Behaviour, message: bytes | None = None) -> tuple[bytes, Record]:
    """All bytes that come back for one call until the server closes, and the server's record of it."""
    with scoring_server(behaviour) as server, connect(server) as sock:
        sock.sendall(message or request())
        got = read_to_end(sock)
        return got, server.log()[0]


def test_probes_are_answered_as_mlflow_does_and_not_counted() -> None:
    """GET /ping, /health and /version are no calls: they shift no script."""
    with scoring_server(Behaviour(script={0: replies.CRASHED})) as server, connect(server) as sock:
        found = [
            ask(sock, f"GET {path} HTTP/1.1\r\n\r\n".encode())
            for path in ("/ping", "/health", "/version", "/x")
        ]
        assert ask(sock)[0] == 500
        assert server.calls == len(server.log()) == 1
        assert len(server.requests()) == 5
    assert found == [(200, b"\n"), (200, b"\n"), (200, b"3.17.2"), (404, b'{"detail":"Not Found"}')]


def test_what_cannot_be_scored_gets_mlflows_error() -> None:
    """A body that is no rows is a 400 with an error code, another content type a 415 in plain text."""
    with scoring_server() as server, connect(server) as sock:
        bad, body = ask(sock, request(b'{"rows": 1}'))
        unknown, text = ask(sock, request(content_type="application/xml"))
        log = server.log()
    assert bad == 400
    assert json.loads(body)["error_code"] == "BAD_REQUEST"
    assert (unknown, b"application/xml" in text) == (415, True)
    assert [(record.status, record.rows) for record in log] == [(400, None), (415, None)]


@pytest.mark.parametrize(
    ("reply", "start", "end"),
    [
        (
            replies.CLOSING,
            b"HTTP/1.1 200 OK\r\n",
            b'\r\nconnection: close\r\n\r\n{"predictions": [3.5, 7.0]}',
        ),
        (
            replace(replies.HINTS_FIRST, end=replies.End.CLOSE),
            b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n",
            b"[3.5, 7.0]}",
        ),
        (replies.UNTIL_CLOSE, b"HTTP/1.1 200 OK\r\n", b'{"predictions": [3.5, 7.0]}'),
        (replies.CLOSED, b"", b""),
        (replies.CUT_IN_HEAD, b"HTTP/1.1 200 OK\r\nserver: ", b"server: "),
        (replies.CUT_IN_BODY, b"HTTP/1.1 200 OK\r\n", b'{"predictions": [3.5, '),
        (replies.CUT_IN_CHUNKS, b"HTTP/1.1 200 OK\r\n", b"0]}\r\n"),
        (replies.OVERLOADED, b"HTTP/1.1 503 Service Unavailable\r\n", b"\r\n\r\nService Unavailable"),
        (replies.raw(b"no HTTP", replies.End.CLOSE), b"no HTTP", b"no HTTP"),
    ],
)
def test_replies_that_end_the_connection(reply: Reply, start: bytes, end: bytes) -> None:
    """What goes over the wire until the server closes is what the reply says."""
    got, _ = call_once(Behaviour(default=reply))
    assert got.startswith(start)
    assert got.endswith(end)


def test_only_whole_answers_are_logged_as_answered() -> None:
    """A cut answer has neither status nor time; a whole one has both, though the connection ends with it."""
    _, cut = call_once(Behaviour(default=replies.CUT_IN_BODY))
    _, whole = call_once(Behaviour(default=replies.CLOSING))
    assert (cut.status, cut.answered_s, cut.reply) == (None, None, replies.CUT_IN_BODY)
    assert whole.status == 200
    with pytest.raises(ValueError, match="call 0 was not answered"):
        _ = cut.response_s
    assert whole.response_s > 0


@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [
        (replies.CHUNKED, 200, ANSWER),
        (replies.EMPTY, 200, None),
        (replies.CONTINUE_FIRST, 200, ANSWER),
        (replies.DRIP, 200, ANSWER),
        (replies.GARBAGE_AFTER, 200, ANSWER),
        (replies.WRONG_COUNT, 200, {"predictions": [3.5]}),
        (replies.ONE_TOO_MANY, 200, {"predictions": [3.5, 7.0, 0.0]}),
        (replies.BARE_LIST, 200, [3.5, 7.0]),
        (replies.rejected("SCHEMA", "no"), 400, {"error_code": "SCHEMA", "message": "no"}),
        (replies.UNAUTHORIZED, 401, {"error_code": "UNAUTHENTICATED", "message": "no token"}),
        (replies.TOO_MANY, 429, {"message": "Too Many Requests"}),
    ],
)
def test_replies_that_keep_the_connection(reply: Reply, status: int, body: object) -> None:
    """The standard library's client reads what the reply means."""
    with scoring_server(Behaviour(default=reply)) as server, connect(server) as sock:
        sock.sendall(request())
        response = http.client.HTTPResponse(sock, method="POST")
        response.begin()
        data = response.read()
        assert response.status == status
        assert (json.loads(data) if data else None) == body
        assert server.log()[0].status == status


def test_a_bare_nan_is_not_strict_json() -> None:
    """A NaN prediction goes out as MLflow sends it."""
    with scoring_server(Behaviour(default=replies.NAN)) as server, connect(server) as sock:
        assert ask(sock)[1] == b'{"predictions": [NaN, 7.0]}'


@pytest.mark.parametrize("status", [413, 429, 502, 503, 504])
def test_nginx_answers_html(status: int) -> None:
    """A gateway's own page is HTML with the status in its title."""
    with scoring_server(Behaviour(default=replies.nginx(status))) as server, connect(server) as sock:
        found, page = ask(sock)
    assert found == status
    assert b"<title>%d " % status in page


def test_a_model_error_carries_a_stack_trace() -> None:
    """What tells the model's fault from the request's is there in one and not in the other."""
    with (
        scoring_server(Behaviour(script={0: replies.model_error(), 1: replies.rejected()})) as server,
        connect(server) as sock,
    ):
        assert "stack_trace" in json.loads(ask(sock)[1])
        assert "stack_trace" not in json.loads(ask(sock)[1])


def test_reset_is_a_reset() -> None:
    """The client sees a reset and not an end."""
    with scoring_server(Behaviour(default=replies.RESET)) as server, connect(server) as sock:
        sock.sendall(request())
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_stale_connection_dies_after_a_good_answer() -> None:
    """The answer says nothing of a close, and the next call on the connection finds it closed."""
    with scoring_server(Behaviour(script={0: replies.STALE})) as server, connect(server) as sock:
        sock.sendall(request())
        got = read_to_end(sock)
        assert b"connection: close" not in got
        assert got.endswith(b"[3.5, 7.0]}")
        with connect(server) as again:
            assert ask(again)[0] == 200
        assert [record.connection for record in server.log()] == [0, 1]


@pytest.mark.parametrize("reply", [replies.NEVER, replies.STALLED])
def test_never_leaves_the_client_waiting(reply: Reply) -> None:
    """A call that is never (or never wholly) answered is logged with the time at which its client left."""
    with scoring_server(Behaviour(default=reply)) as server:
        with connect(server) as sock:
            sock.sendall(request())
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                read_to_end(sock)
        with connect(server) as other:  # accepted after the first one's end was seen
            other.sendall(request())
            server.wait_for_calls(2)
        record = server.log()[0]
    assert record.status is None
    assert record.complete_s is not None
    assert record.client_left_s is not None
    assert record.client_left_s - record.complete_s >= 0.04


def test_huge_answers_arrive_whole() -> None:
    """An answer that no socket buffer holds is sent in full, while another connection is served."""
    with (
        scoring_server(Behaviour(script={0: replies.huge(30_000_000)})) as server,
        connect(server) as sock,
        connect(server) as other,
    ):
        sock.sendall(request())
        server.wait_for_calls(1)
        assert ask(other)[0] == 200
        assert server.log()[0].answered_s is None  # nobody has read it
        assert len(read_answer(sock)[1]) == 30_000_000
        assert server.log()[0].status == 200


def test_early_answers_do_not_wait_for_the_body() -> None:
    """The answer comes while the body is still to be sent; what is sent then is read, or a reset ate it."""
    head, body = request(b"x" * 5_000_000).split(b"\r\n\r\n")
    with scoring_server(Behaviour(default=replies.EARLY)) as server, connect(server) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert read_answer(sock) == (413, b"too large")
        sock.sendall(body)
        assert sock.recv(1) == b""
        (record,) = server.log()
    assert (record.status, record.complete_s) == (413, None)


def test_early_answers_may_end_in_a_reset() -> None:
    """A server that closes on an unread body has answered, and breaks the sending."""
    with scoring_server(Behaviour(default=replies.EARLY_AND_GONE)) as server, connect(server) as sock:
        sock.sendall(request(b"x" * 5_000_000)[:200])
        assert read_answer(sock) == (413, b"too large")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            sock.sendall(b"x" * 5_000_000)
        assert server.log()[0].status == 413


def test_a_body_may_never_be_read() -> None:
    """A server that answers on the head and reads no more leaves the client with a body it can't send."""
    reply = Reply(413, b"too large", read=Read.HEAD)
    with scoring_server(Behaviour(default=reply)) as server, connect(server) as sock:
        sock.sendall(request(b"x" * 100_000_000)[:200])
        assert read_answer(sock) == (413, b"too large")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.sendall(b"x" * 100_000_000)
        assert server.log()[0].status == 413


def test_expect_continue_is_honoured() -> None:
    """A client that waits for 100 Continue gets it before it sends the body."""
    head, body = request().split(b"\r\n\r\n")
    with scoring_server() as server, connect(server) as sock:
        sock.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert ask(sock, body)[0] == 200


@pytest.mark.parametrize(
    "message",
    [
        b"no request\r\n\r\n",
        b"POST /invocations HTTP/1.0\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nno header\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_a_wrong_request_is_told_so(message: bytes) -> None:
    """A client that writes bad HTTP gets a 400 and the end of the connection, and is in the log."""
    with scoring_server() as server, connect(server) as sock:
        sock.sendall(message)
        assert read_to_end(sock).startswith(b"HTTP/1.1 400 ")
        assert [record.status for record in server.requests()] == [400]


def test_scripts_are_looked_up_in_order() -> None:
    """The call's number goes before its connection, that before path, window and default."""
    text = [Reply(200 + at, b"") for at in range(5)]
    behaviour = Behaviour(
        script={1: text[0]},
        on_connection={(0, 1): text[1], (0, 2): text[1]},
        on_path={"/other": text[2]},
        during=((0.0, 3600.0, text[3]),),
        default=text[4],
    )
    paths = ["/invocations", "/other", "/other", "/other", "/invocations"]
    with scoring_server(behaviour) as server, connect(server) as sock:
        found = [ask(sock, request(path=path))[0] for path in paths]
    assert found == [203, 200, 201, 202, 203]
    assert [record.path for record in server.log()] == paths
