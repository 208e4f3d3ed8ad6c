"""The fake server does what it was told and writes down what it did, or other tests would prove nothing.

What goes over the wire, its log, its times, its process. test_scoring_server_plan.py has its arithmetic.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from tests import requirements
from tests.raw_client import ANSWER, TWO_ROWS, WAIT_S, ask, connect, read_answer, read_to_end, request
from tests.scoring_server import (
    Behaviour,
    Certificates,
    Exponential,
    Read,
    Record,
    Reply,
    ScoringServer,
    certificates,
    refusing_port,
    replies,
    scoring_server,
    silent_port,
)
from tests.scoring_server.handle import ROOT

# What goes over the wire. One server has every reply, each on a path of its own.

ENDING = {
    "/closing": (
        replies.CLOSING,
        b"HTTP/1.1 200 OK\r\n",
        b'\r\nconnection: close\r\n\r\n{"predictions": [3.5, 7.0]}',
    ),
    "/hints": (
        replace(replies.HINTS_FIRST, end=replies.End.CLOSE),
        b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"[3.5, 7.0]}",
    ),
    "/until-close": (replies.UNTIL_CLOSE, b"HTTP/1.1 200 OK\r\n", b'{"predictions": [3.5, 7.0]}'),
    "/stale": (replies.STALE, b"HTTP/1.1 200 OK\r\n", b"[3.5, 7.0]}"),
    "/closed": (replies.CLOSED, b"", b""),
    "/cut-in-head": (replies.CUT_IN_HEAD, b"HTTP/1.1 200 OK\r\nserver: ", b"server: "),
    "/cut-in-body": (replies.CUT_IN_BODY, b"HTTP/1.1 200 OK\r\n", b'{"predictions": [3.5, '),
    "/cut-in-chunks": (replies.CUT_IN_CHUNKS, b"HTTP/1.1 200 OK\r\n", b"0]}\r\n"),
    "/overloaded": (
        replies.OVERLOADED,
        b"HTTP/1.1 503 Service Unavailable\r\n",
        b"\r\n\r\nService Unavailable",
    ),
    "/raw": (replies.raw(b"no HTTP", replies.End.CLOSE), b"no HTTP", b"no HTTP"),
}
"""Replies after which the server closes: the first and the last bytes that come."""
KEEPING = {
    "/chunked": (replies.CHUNKED, 200, ANSWER),
    "/empty": (replies.EMPTY, 200, None),
    "/continue": (replies.CONTINUE_FIRST, 200, ANSWER),
    "/drip": (replies.DRIP, 200, ANSWER),
    "/garbage-after": (replies.GARBAGE_AFTER, 200, ANSWER),
    "/wrong-count": (replies.WRONG_COUNT, 200, {"predictions": [3.5]}),
    "/one-too-many": (replies.ONE_TOO_MANY, 200, {"predictions": [3.5, 7.0, 0.0]}),
    "/bare": (replies.BARE_LIST, 200, [3.5, 7.0]),
    "/rejected": (replies.rejected("SCHEMA", "no"), 400, {"error_code": "SCHEMA", "message": "no"}),
    "/unauthorized": (replies.UNAUTHORIZED, 401, {"error_code": "UNAUTHENTICATED", "message": "no token"}),
    "/too-many": (replies.TOO_MANY, 429, {"message": "Too Many Requests"}),
}
"""Replies that keep the connection: their status, and what is in their JSON."""
OTHERS = {
    "/nan": replies.NAN,
    "/model-error": replies.model_error(),
    "/reset": replies.RESET,
    "/never": replies.NEVER,
    "/stalled": replies.STALLED,
    "/huge": replies.huge(30_000_000),
    "/early": replies.EARLY,
    "/early-and-gone": replies.EARLY_AND_GONE,
    "/unread": Reply(413, b"too large", read=Read.HEAD),
    "/slow-pieces": Reply(body=b"0123456789", piece_bytes=10, pause_s=0.005, headers=(("x-pad", "x" * 80),)),
    "/pieces": Reply(piece_bytes=60),
    **{f"/nginx-{status}": replies.nginx(status) for status in (413, 429, 502, 503, 504)},
}
EVERY = {path: reply for path, (reply, *_) in [*ENDING.items(), *KEEPING.items()]} | OTHERS


@pytest.fixture(scope="module")
def server() -> Iterator[ScoringServer]:
    """Answers without delay; each of EVERY on its path."""
    with scoring_server(Behaviour(on_path=EVERY)) as server:
        yield server


def last(server: ScoringServer, path: str) -> Record:
    """The record of the last call to `path`."""
    return [record for record in server.log() if record.path == path][-1]


@pytest.mark.parametrize("path", ENDING)
def test_replies_that_end_the_connection(server: ScoringServer, path: str) -> None:
    """What goes over the wire until the server closes is what the reply says; whole answers are logged."""
    reply, start, end = ENDING[path]
    with connect(server) as sock:
        sock.sendall(request(path=path))
        got = read_to_end(sock)
    assert got.startswith(start)
    assert got.endswith(end)
    assert (b"connection: close" in got) == (
        got != b"" and reply.announce_end and reply.raw is None and b"\r\n\r\n" in got
    )
    record = last(server, path)
    whole = reply.cut is None
    assert (record.status, record.answered_s is not None) == (
        reply.status if whole and reply.raw is None else None,
        whole,
    )


def test_an_answer_that_was_cut_has_no_response_time(server: ScoringServer) -> None:
    """A whole one has."""
    for path in ("/cut-in-body", "/closing"):
        with connect(server) as sock:
            sock.sendall(request(path=path))
            read_to_end(sock)
    with pytest.raises(ValueError, match="was not answered"):
        _ = last(server, "/cut-in-body").response_s
    assert last(server, "/closing").response_s > 0


@pytest.mark.parametrize("path", KEEPING)
def test_replies_that_keep_the_connection(server: ScoringServer, path: str) -> None:
    """The standard library's client reads what the reply means."""
    _, status, body = KEEPING[path]
    with connect(server) as sock:
        sock.sendall(request(path=path))
        response = http.client.HTTPResponse(sock, method="POST")
        response.begin()
        data = response.read()
    assert response.status == status
    assert (json.loads(data) if data else None) == body
    assert last(server, path).status == status


def test_errors_are_mlflows_and_nginxs(server: ScoringServer) -> None:
    """A bare NaN; a stack trace for the model's fault alone; nginx's page has the status in its title."""
    with connect(server) as sock:
        assert ask(sock, request(path="/nan"))[1] == b'{"predictions": [NaN, 7.0]}'
        assert "stack_trace" in json.loads(ask(sock, request(path="/model-error"))[1])
        assert "stack_trace" not in json.loads(ask(sock, request(path="/rejected"))[1])
        for status in (413, 429, 502, 503, 504):
            found, page = ask(sock, request(path=f"/nginx-{status}"))
            assert (found, b"<title>%d " % status in page) == (status, True)


def test_a_body_without_rows_gets_mlflows_error(server: ScoringServer) -> None:
    """A body that is no rows is a 400 with an error code, another content type a 415 in plain text."""
    with connect(server) as sock:
        bad, body = ask(sock, request(b'{"rows": 1}'))
        unknown, text = ask(sock, request(content_type="application/xml"))
    assert bad == 400
    assert json.loads(body)["error_code"] == "BAD_REQUEST"
    assert (unknown, b"application/xml" in text) == (415, True)
    assert [(record.status, record.rows) for record in server.log()[-2:]] == [(400, None), (415, None)]


def test_reset_is_a_reset(server: ScoringServer) -> None:
    """The client sees a reset and not an end."""
    with connect(server) as sock:
        sock.sendall(request(path="/reset"))
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


@pytest.mark.parametrize("path", ["/never", "/stalled"])
def test_never_leaves_the_client_waiting(server: ScoringServer, path: str) -> None:
    """A call that is never (or never wholly) answered is logged with the time at which its client left."""
    with connect(server) as sock:
        sock.sendall(request(path=path))
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            read_to_end(sock)
    with connect(server) as other:  # accepted after the first one's end was seen
        ask(other)
    record = last(server, path)
    assert record.status is None
    assert record.complete_s is not None
    assert record.client_left_s is not None
    assert record.client_left_s - record.complete_s >= 0.04


def test_huge_answers_arrive_whole(server: ScoringServer) -> None:
    """An answer that no socket buffer holds is sent in full, while another connection is served."""
    with connect(server) as sock, connect(server) as other:
        before = server.calls
        sock.sendall(request(path="/huge"))
        server.wait_for_calls(before + 1)
        assert ask(other)[0] == 200
        assert last(server, "/huge").answered_s is None  # nobody has read it
        assert len(read_answer(sock)[1]) == 30_000_000
    assert last(server, "/huge").status == 200


def test_early_answers_do_not_wait_for_the_body(server: ScoringServer) -> None:
    """The answer comes while the body is still to be sent; what is sent then is read, or a reset ate it."""
    head, body = request(b"x" * 5_000_000, path="/early").split(b"\r\n\r\n")
    with connect(server) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert read_answer(sock) == (413, b"too large")
        sock.sendall(body)
        assert sock.recv(1) == b""
    record = last(server, "/early")
    assert (record.status, record.complete_s) == (413, None)


@pytest.mark.parametrize(
    ("path", "error"),
    [("/early-and-gone", (ConnectionResetError, BrokenPipeError)), ("/unread", TimeoutError)],
)
def test_a_body_may_never_be_read(server: ScoringServer, path: str, error: type[OSError]) -> None:
    """A server that answers on the head and closes breaks the sending; one that reads no more blocks it."""
    with connect(server) as sock:
        sock.sendall(request(b"x" * 50_000_000, path=path)[:200])
        assert read_answer(sock) == (413, b"too large")
        sock.settimeout(0.2)
        with pytest.raises(error):
            sock.sendall(b"x" * 50_000_000)
    assert last(server, path).status == 413


def test_expect_continue_is_honoured(server: ScoringServer) -> None:
    """A client that waits for 100 Continue gets it before it sends the body."""
    head, body = request().split(b"\r\n\r\n")
    with connect(server) as sock:
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
def test_a_wrong_request_is_refused(server: ScoringServer, message: bytes) -> None:
    """A client that writes bad HTTP gets a 400 and the end of the connection, and is in the log."""
    with connect(server) as sock:
        sock.sendall(message)
        assert read_to_end(sock).startswith(b"HTTP/1.1 400 ")
    assert server.requests()[-1].status == 400


def test_slow_pieces_take_their_pauses(server: ScoringServer) -> None:
    """A slow answer takes as many pauses as it has pieces, less one."""
    with connect(server) as sock:
        ask(sock, request(path="/slow-pieces"))
    record = last(server, "/slow-pieces")
    pieces = -(-len(EVERY["/slow-pieces"].message([])) // 10)
    assert record.answered_s is not None
    assert record.complete_s is not None
    assert record.answered_s - record.complete_s >= (pieces - 1) * 0.005


def test_answers_leave_at_once(server: ScoringServer) -> None:
    """Without TCP_NODELAY each answer, past a connection's first few, is 40 ms late; the fastest is not."""
    with connect(server) as sock:
        times_s = []
        for _ in range(40):
            start_s = time.monotonic()
            ask(sock, request(path="/pieces"))
            times_s.append(time.monotonic() - start_s)
    assert min(times_s[20:]) < 0.03


# Its log.


def test_answers_and_log_agree() -> None:
    """A call is answered with one prediction a row, and its record holds what was sent and when.

    Probes (GET /ping, /health, /version) are no calls: they shift no script. A call's number goes before its
    path, and that before the default.
    """
    script = {0: replies.CRASHED, 2: Reply(202, b"")}
    paths = {"/other": Reply(203, b"")}
    with scoring_server(Behaviour(script=script, on_path=paths)) as server, connect(server) as sock:
        probes = [
            ask(sock, f"GET {path} HTTP/1.1\r\n\r\n".encode())
            for path in ("/ping", "/health", "/version", "/x")
        ]
        assert ask(sock)[0] == 500
        sent_s = time.monotonic()
        status, body = ask(sock)
        done_s = time.monotonic()
        assert [ask(sock, request(path="/other"))[0] for _ in range(2)] == [202, 203]
        log = server.log()
        assert (server.calls, len(server.requests())) == (4, 8)
    assert probes == [(200, b"\n"), (200, b"\n"), (200, b"3.17.2"), (404, b'{"detail":"Not Found"}')]
    assert (status, json.loads(body)) == (200, ANSWER)
    record = log[1]
    assert (record.number, record.connection, record.call) == (1, 0, 5)
    assert (record.method, record.path, record.body, record.rows) == ("POST", "/invocations", TWO_ROWS, 2)
    assert record.headers["content-type"] == "application/json"
    assert record.status == 200
    assert record.complete_s is not None
    assert record.answered_s is not None
    assert sent_s <= record.first_byte_s <= record.complete_s <= record.answered_s <= done_s


def test_the_log_has_a_call_as_soon_as_its_answer_is_read_and_outlives_the_server() -> None:
    """No answer reaches the client before its record is complete; after a stop the log is still there."""
    with scoring_server() as server, connect(server) as sock:
        for number in range(50):
            ask(sock)
            assert [record.status for record in server.log()] == [200] * (number + 1)
        server.stop()
        assert server.calls == 50
    assert server.log()[0].status == 200


def test_many_connections_lose_nothing() -> None:
    """Calls from many connections at once are all answered and logged, numbered by connection and call."""

    def many(server: ScoringServer) -> None:
        with connect(server) as sock:
            for _ in range(50):
                assert ask(sock)[0] == 200

    with scoring_server() as server:
        threads = [Thread(target=many, args=(server,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = server.log()
    assert [record.number for record in log] == list(range(16 * 50))
    assert {(record.connection, record.call) for record in log} == {
        (c, n) for c in range(16) for n in range(50)
    }
    assert all(record.status == 200 for record in log)


# Its times.


def test_first_byte_and_complete_request_come_apart(server: ScoringServer) -> None:
    """A request that comes in two parts is complete later than it began, and answered after that."""
    with connect(server) as sock:
        message = request()
        sock.sendall(message[:30])
        time.sleep(0.05)
        ask(sock, message[30:])
        record = server.log()[-1]
    assert record.complete_s is not None
    assert record.complete_s - record.first_byte_s >= 0.04


def test_service_times_are_drawn_waited_for_and_logged() -> None:
    """Each call takes at least its draw, the draws are the distribution's own, and the log has them.

    An idle connection is closed after `idle_close_s`, as uvicorn does after 5 s; not before its time.
    """
    draw = Exponential(0.004, seed=7)
    behaviour = Behaviour(service=draw, script={2: Reply(service_s=0.0)}, idle_close_s=0.05)
    with scoring_server(behaviour) as server, connect(server) as sock:
        for _ in range(6):
            ask(sock)
        log = server.log()
        assert sock.recv(1) == b""
        closed_s = time.monotonic()
    drawn = draw.times_s()
    expected = [0.0 if number == 2 else next(drawn) for number in range(6)]
    assert [record.service_s for record in log] == expected
    for record in log:
        assert record.answered_s is not None
        assert record.complete_s is not None
        assert record.service_s is not None
        assert record.answered_s - record.complete_s >= record.service_s
        assert closed_s - record.answered_s >= 0.05


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_queue_serves_so_many_at_a_time(at_once: int) -> None:
    """Calls that come together are served in the order they came, never more than `at_once` of them."""
    with scoring_server(Behaviour(service=Exponential(0.006), at_once=at_once)) as server:
        socks = [connect(server) for _ in range(6)]
        for sock in socks:
            sock.sendall(request())
        for sock in socks:
            assert read_answer(sock)[0] == 200
            sock.close()
        log = server.log()
    spans = [
        (record.started_s or 0.0, record.due_s or 0.0) for record in sorted(log, key=lambda r: r.number or 0)
    ]
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    for start, _ in spans:
        assert sum(one <= start < other for one, other in spans) <= at_once
    for record in log:
        assert record.answered_s is not None
        assert record.due_s is not None
        assert record.answered_s >= record.due_s


def test_a_frozen_server_answers_nothing() -> None:
    """Between a freeze's start and end no answer leaves; the call that came inside it is answered after."""
    with scoring_server(Behaviour(freezes=((0.05, 0.65),))) as server, connect(server) as sock:
        ask(sock)
        time.sleep(0.06)
        ask(sock)
        log = server.log()
    origin_s = log[0].first_byte_s
    answered_s = [(record.answered_s or 0.0) - origin_s for record in log]
    assert not any(0.051 <= at_s < 0.65 for at_s in answered_s)
    assert answered_s[1] >= 0.65
    assert log[1].response_s > 0  # its arrival was logged when it came, not when the freeze ended
    assert log[1].first_byte_s - origin_s < 0.65


# Its process and its place.


@pytest.fixture
def papers(tmp_path: Path) -> Certificates:
    return certificates(tmp_path)


def test_tls_is_verified_and_carries_large_bodies(papers: Certificates) -> None:
    """A client that trusts the authority is served, to the last byte; another breaks off before a call."""
    with scoring_server(Behaviour(default=replies.huge(3_000_000)), tls=papers.server) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        with trusting.wrap_socket(connect(server), server_hostname="127.0.0.1") as sock:
            rows = json.dumps({"inputs": [[0.5]] * 200_000}).encode()
            assert len(ask(sock, request(rows))[1]) == 3_000_000
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connect(server), server_hostname="127.0.0.1")
        assert server.calls == 1
        assert server.log()[0].rows == 200_000


@pytest.mark.parametrize("fault", ["expired", "another name"])
def test_bad_certificates_are_bad(tmp_path: Path, fault: str) -> None:
    """A certificate can be past its time, or be for another name."""
    names = ("example.org",) if fault == "another name" else ()
    papers = certificates(tmp_path, *names, expired=fault == "expired")
    with scoring_server(tls=papers.server) as server:
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"expired|not valid for|mismatch"):
            trusting.wrap_socket(connect(server), server_hostname="127.0.0.1")


def test_ipv6() -> None:
    """The server can be had on ::1, with brackets in its URL."""
    requirements.ipv6()
    with scoring_server(ipv6=True) as server, connect(server) as sock:
        assert server.url == f"http://[::1]:{server.port}"
        assert ask(sock)[0] == 200


def test_a_server_can_come_back_on_its_port() -> None:
    """A restart is two servers on one port, one after the other; two at a time is an error here."""
    with scoring_server() as first:
        port = first.port
        with pytest.raises(OSError, match="in use"), scoring_server(port=port):
            pass
    with scoring_server(port=port) as second, connect(second) as sock:
        assert ask(sock)[0] == 200


def test_refusing_and_silent_ports() -> None:
    """Nobody listens on one; on the other a connection neither succeeds nor fails."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", refusing_port()), timeout=WAIT_S)
    with silent_port() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.2)


def test_a_dead_server_is_no_empty_log() -> None:
    """A server that died fails the test, asked for its log or not; an empty log could have let it pass."""
    with pytest.raises(RuntimeError, match="ended with -9"), scoring_server() as server:  # noqa: PT012
        os.kill(server.pid, signal.SIGKILL)
        assert server.log() == []
    with pytest.raises(RuntimeError, match="ended with -9"), scoring_server() as server:
        os.kill(server.pid, signal.SIGKILL)


def test_waiting_for_calls_gives_up(server: ScoringServer) -> None:
    """Waiting for calls that do not come ends in an error."""
    here = server.calls
    with pytest.raises(TimeoutError, match=rf"{here} calls after 0\.05 s, expected {here + 1}"):
        server.wait_for_calls(here + 1, timeout_s=0.05)


def test_works_under_gevents_patches() -> None:
    """In a process that Locust has patched, the server starts, answers and gives its log all the same."""
    script = (
        "from gevent import monkey; monkey.patch_all()\n"
        "from tests.raw_client import ask, connect\nfrom tests.scoring_server import scoring_server\n"
        "with scoring_server() as server, connect(server) as sock:\n"
        "    print(ask(sock)[0], server.calls, len(server.log()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("200 1 1\n", "")


def test_the_server_goes_with_its_test() -> None:
    """When the test's process is killed, the server sees its end and leaves the port."""
    script = (
        "import time\nfrom tests.scoring_server import scoring_server\n"
        "with scoring_server() as server:\n    print(server.port, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as test:
        assert test.stdout is not None
        port = int(test.stdout.readline())
        test.kill()
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        except ConnectionError:
            return
        time.sleep(0.01)
    pytest.fail("the server still listens")
