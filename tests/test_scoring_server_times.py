"""The fake server takes the times that it was told, and logs them."""

from __future__ import annotations

import time

import pytest

from tests.raw_client import ask, connect, read_answer, request
from tests.scoring_server import (
    Behaviour,
    Exponential,
    Listed,
    Reply,
    replies,
    scoring_server,
)


def test_an_idle_connection_is_closed() -> None:
    """After idle_close_s without a call the server closes, as uvicorn does after 5 s; not before its time."""
    with scoring_server(Behaviour(idle_close_s=0.05)) as server, connect(server) as sock:
        ask(sock)
        (record,) = server.log()
        assert sock.recv(1) == b""
        assert record.answered_s is not None
        assert time.monotonic() - record.answered_s >= 0.05


def test_drip_sends_byte_by_byte() -> None:
    """A slow answer takes as many pauses as it has bytes, less one."""
    reply = Reply(body=b"0123456789", piece_bytes=10, pause_s=0.005, headers=(("x-pad", "x" * 80),))
    with scoring_server(Behaviour(default=reply)) as server, connect(server) as sock:
        ask(sock)
        (record,) = server.log()
    pieces = -(-len(reply.message([])) // 10)
    assert record.answered_s is not None
    assert record.complete_s is not None
    assert record.answered_s - record.complete_s >= (pieces - 1) * 0.005


def test_a_window_opens_and_closes() -> None:
    """A reply for a window of time is given inside it alone."""
    with scoring_server(Behaviour(during=((0.1, 0.2, replies.OVERLOADED),))) as server:
        for pause_s in (0.0, 0.15, 0.15):
            time.sleep(pause_s)
            with connect(server) as sock:
                ask(sock)
        log = server.log()
    since_s = [record.first_byte_s - log[0].first_byte_s for record in log]
    expected = [503 if 0.1 <= at_s < 0.2 else 200 for at_s in since_s]
    assert [record.status for record in log] == expected
    assert since_s[1] >= 0.1


def test_service_times_are_drawn_waited_for_and_logged() -> None:
    """Each call takes at least its draw, the draws are the distribution's own, and the log has them."""
    draw = Exponential(0.004, seed=7)
    with (
        scoring_server(Behaviour(service=draw, script={2: Reply(service_s=0.0)})) as server,
        connect(server) as sock,
    ):
        for _ in range(6):
            ask(sock)
        log = server.log()
    drawn = draw.times_s()
    expected = [0.0 if number == 2 else next(drawn) for number in range(6)]
    assert [record.service_s for record in log] == expected
    for record in log:
        assert record.answered_s is not None
        assert record.complete_s is not None
        assert record.service_s is not None
        assert record.answered_s - record.complete_s >= record.service_s


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_queue_serves_so_many_at_a_time(at_once: int) -> None:
    """Calls that come together are served in the order they came, never more than `at_once` of them."""
    behaviour = Behaviour(service=Listed((0.010, 0.004, 0.006)), at_once=at_once)
    with scoring_server(behaviour) as server:
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


def test_answers_leave_at_once() -> None:
    """Without TCP_NODELAY each answer, past a connection's first few, is 40 ms late; the fastest is not."""
    with scoring_server(Behaviour(default=Reply(piece_bytes=60))) as server, connect(server) as sock:
        times_s = []
        for _ in range(40):
            start_s = time.monotonic()
            ask(sock)
            times_s.append(time.monotonic() - start_s)
    assert min(times_s[20:]) < 0.03
