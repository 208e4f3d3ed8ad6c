"""A connection's life between calls and beyond them: found closed, out of time, killed, used again."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import gevent
import pytest
from gevent import get_hub

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client import watchdog
from scorebench.client.connection import Connection
from scorebench.client.watchdog import GIVEN_UP
from tests.client import answer_of, connection_to, fate, request_to
from tests.scoring_server import Behaviour, End, Reply, replies, scoring_server
from tests.test_connection import LARGE

SLOW = Reply(service_s=0.4)
ONE, TWO = b'{"inputs": [[1]]}', b'{"inputs": [[2]]}'
TIMEOUT_S, TOO_LATE_S = 0.3, 5.0


def prediction(body: bytes) -> float:
    """The only one in an answer."""
    (value,) = json.loads(body)["predictions"]
    return float(value)


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
def test_a_connection_found_closed_is_reopened(body: bytes) -> None:
    """A server that closes after each answer without a word fails no call: each opens a new connection."""
    with (
        scoring_server(Behaviour(default=replies.STALE)) as server,
        connection_to(server.url) as connection,
    ):
        fates = []
        for _ in range(4):
            fates.append(fate(connection, request_to(server, body)))
            gevent.sleep(0.05)
        log = server.log()
    assert fates == [200] * 4
    assert [record.connection for record in log] == [0, 1, 2, 3]
    assert (connection.reconnects, connection.sent_twice) == (3, 0)


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
def test_no_call_is_executed_twice_where_the_close_meets_it(body: bytes) -> None:
    """The server closes while the next call is on its way. It may fail; the server never sees it twice."""
    with (
        scoring_server(Behaviour(default=replies.STALE)) as server,
        connection_to(server.url) as connection,
    ):
        fates = [fate(connection, request_to(server, body)) for _ in range(20)]
        answered = [record for record in server.log() if record.answered_s is not None]
    assert fates.count(200) == len(answered)
    assert set(fates) <= {200, Outcome.CONNECTION_RESET, Outcome.CONNECTION_CLOSED}


class HandServer:
    """A server whose socket a test holds, so that the test says what comes first.

    It shares the client's thread, so it never blocks: the client runs while it waits.
    """

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self) -> socket.socket:
        wait_for(self.listener)
        accepted, _ = self.listener.accept()
        return accepted

    def answer(self, accepted: socket.socket) -> None:
        """Read one small request, or the beginning of a large one, and answer it."""
        wait_for(accepted)
        accepted.recv(65_536)
        accepted.sendall(Reply().message([1.0]))


def wait_for(sock: socket.socket) -> None:
    """Until something can be read from it, or accepted."""
    while not select.select([sock], [], [], 0)[0]:
        gevent.sleep(0.005)


@pytest.fixture
def hand_server() -> Iterator[HandServer]:
    server = HandServer()
    with server.listener:
        yield server


def call_after_an_answer(
    server: HandServer, connection: Connection, between: Callable[[socket.socket], None], **second: Any
) -> gevent.Greenlet[..., int | Outcome]:
    """A user whose first call is answered; `between` is done to the socket, unseen by the client, which then
    makes its second call."""

    def user() -> int | Outcome:
        assert fate(connection, request_to(server.url)) == 200
        between(accepted)
        connection.unsure = False  # as for a client that has not looked since
        return fate(connection, request_to(server.url, **second))

    running = gevent.spawn(user)
    accepted = server.accept()
    server.answer(accepted)
    return running


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
def test_an_end_that_came_before_the_request_arrived(hand_server: HandServer, body: bytes) -> None:
    """The call left while the end was on its way: it never arrived and is sent again, which is counted."""
    with connection_to(hand_server.url) as connection:
        user = call_after_an_answer(hand_server, connection, socket.socket.close, body=body)
        hand_server.answer(hand_server.accept())
        assert user.get(timeout=30) in (200, Outcome.CONNECTION_RESET)  # large: the rest was not read
    assert (connection.reconnects, connection.sent_twice) == (1, 1)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
def test_an_end_that_came_after_the_request_arrived(hand_server: HandServer, read: bool, reset: bool) -> None:
    """Once the server's machine took the request, nobody knows if it was executed: the call has failed."""
    held: list[socket.socket] = []
    with connection_to(hand_server.url) as connection:
        user = call_after_an_answer(hand_server, connection, held.append)
        while not held:
            gevent.sleep(0.005)
        (accepted,) = held
        wait_for(accepted)
        if read:
            accepted.recv(65_536)
        if reset:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        # An unread request turns a close into a reset: the kernel does that (RFC 1122, 4.2.2.13).
        broken = Outcome.CONNECTION_RESET if reset or not read else Outcome.CONNECTION_CLOSED
        assert user.get(timeout=30) is broken
        gevent.sleep(0.1)
        assert not select.select([hand_server.listener], [], [], 0)[0]  # no second connection
    assert (connection.reconnects, connection.sent_twice) == (0, 0)


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
def test_a_server_that_drops_what_it_worked_on(body: bytes) -> None:
    """Half of the calls are worked on for 20 ms and dropped: half of the calls fail, and none is repeated."""
    dropped = Reply(cut=0, end=End.CLOSE, service_s=0.02)
    behaviour = Behaviour(script=dict.fromkeys(range(1, 20, 2), dropped))
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        fates = [fate(connection, request_to(server, body)) for _ in range(20)]
        assert server.calls == 20
    assert fates == [200, Outcome.CONNECTION_CLOSED] * 10
    assert connection.reconnects == 0


def test_an_idle_connection_may_be_closed() -> None:
    """A server that gives up on idle clients, as uvicorn does, is reconnected to, and that is counted."""
    with (
        scoring_server(Behaviour(idle_close_s=0.1)) as server,
        connection_to(server.url) as connection,
    ):
        for _ in range(3):
            assert fate(connection, request_to(server)) == 200
            gevent.sleep(0.3)
        assert server.calls == 3
    assert connection.reconnects == 2


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [(replies.CLOSED, Outcome.CONNECTION_CLOSED), (replies.RESET, Outcome.CONNECTION_RESET)],
)
def test_a_call_that_was_taken_is_not_sent_again(reply: Reply, outcome: Outcome) -> None:
    """The server took the call and hung up: that is a failed call, on a kept connection as on a new one."""
    behaviour = Behaviour(script={1: reply, 2: reply, 4: reply})
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        # Calls at the server: 0 | 1 hung up on | 2 hung up on, on a new connection | 3 | 4 hung up on
        assert [fate(connection, request_to(server)) for _ in range(5)] == [
            200,
            outcome,
            outcome,
            200,
            outcome,
        ]
        assert [record.connection for record in server.log()] == [0, 0, 1, 2, 2]
    assert (connection.reconnects, connection.sent_twice) == (0, 0)


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_a_call_that_was_given_up_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, end: End, body: bytes
) -> None:
    """The server hangs up on it before the watchdog looks: the call stays one call."""
    monkeypatch.setattr(watchdog, "PERIOD_S", 60.0)
    hung_up = Reply(service_s=0.3, cut=0, end=end)
    with scoring_server(Behaviour(script={1: hung_up})) as server, connection_to(server.url) as connection:
        assert fate(connection, request_to(server, body)) == 200
        gevent.spawn_later(0.1, connection.give_up)
        assert isinstance(fate(connection, request_to(server, body)), Outcome)
        assert server.calls == 2
        assert fate(connection, request_to(server, body)) == 200


@pytest.mark.parametrize("reply", [replies.CUT_IN_HEAD, replies.CUT_IN_BODY, replies.RESET_IN_BODY])
def test_a_break_inside_an_answer_is_not_sent_again(reply: Reply) -> None:
    """After the first byte of an answer the call has failed, on a kept connection too."""
    with scoring_server(Behaviour(script={1: reply})) as server, connection_to(server.url) as connection:
        fates = [fate(connection, request_to(server)) for _ in range(3)]
        assert server.calls == 3
    assert fates[0] == fates[2] == 200
    assert fates[1] in (Outcome.CONNECTION_CLOSED, Outcome.CONNECTION_RESET)
    assert connection.reconnects == 0


def test_a_server_that_stays_away_is_no_reconnect() -> None:
    """The call after a server's end is refused; the one after its return is answered."""
    with scoring_server() as first, connection_to(first.url) as connection:
        request = request_to(first)
        assert fate(connection, request) == 200
        first.stop()
        assert fate(connection, request) is Outcome.CONNECTION_REFUSED
        assert connection.reconnects == 0
        with scoring_server(port=first.port):
            assert fate(connection, request) == 200


def test_what_comes_late_meets_no_later_call() -> None:
    """Bytes that follow an answer after a pause end the connection: they would be the next call's answer."""
    late = Reply(
        after=b" " * 5 + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", piece_bytes=100, pause_s=0.05
    )
    with scoring_server(Behaviour(script={0: late})) as server, connection_to(server.url) as connection:
        assert prediction(answer_of(connection, request_to(server, ONE)).body) == 1
        gevent.sleep(0.3)
        assert prediction(answer_of(connection, request_to(server, TWO)).body) == 2
    assert connection.unasked == 1
    assert connection.reconnects == 0


@contextmanager
def lasting_at_least(limit_s: float) -> Iterator[None]:
    """That long, and not a multiple of it: the bound holds on a busy machine too."""
    begun_s = time.perf_counter()
    yield
    assert limit_s <= time.perf_counter() - begun_s < limit_s + TOO_LATE_S


def test_the_bounds_of_a_time_are_checked() -> None:
    """What ends too early fails the helper."""
    with pytest.raises(AssertionError), lasting_at_least(0.1):
        pass


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(replies.NEVER, id="no answer"),
        pytest.param(replies.STALLED, id="stopped in its body"),
        pytest.param(Reply(piece_bytes=1, pause_s=0.06), id="a byte now and then"),
        pytest.param(Reply(body=b"x" * 99, piece_bytes=70, pause_s=60), id="head only"),
    ],
)
@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_an_answer_that_does_not_come_in_time(reply: Reply, kept: bool) -> None:
    """The call ends at its timeout, is not sent again, and the next one is answered on a new connection."""
    behaviour = Behaviour(script={int(kept): reply})
    with scoring_server(behaviour) as server, connection_to(server.url, timeout_s=TIMEOUT_S) as connection:
        if kept:
            assert fate(connection, request_to(server)) == 200
        with lasting_at_least(TIMEOUT_S):
            assert fate(connection, request_to(server)) is Outcome.CLIENT_TIMEOUT
        assert fate(connection, request_to(server)) == 200
        assert [record.connection for record in server.log()] == [0] * (1 + kept) + [1]
    assert connection.reconnects == 0


def test_a_request_that_is_not_read_in_time() -> None:
    """A server that takes the connection and reads nothing cannot hold a call longer than its timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connection_to(url, timeout_s=TIMEOUT_S) as connection, lasting_at_least(TIMEOUT_S):
            assert fate(connection, request_to(url, LARGE)) is Outcome.CLIENT_TIMEOUT


def test_a_call_sent_again_has_the_time_that_is_left(hand_server: HandServer) -> None:
    """The second sending has no time of its own: together they end at the call's one timeout."""
    with connection_to(hand_server.url, timeout_s=0.5) as connection:
        with lasting_at_least(0.5):
            user = call_after_an_answer(hand_server, connection, socket.socket.close)
            assert user.get(timeout=30) is Outcome.CLIENT_TIMEOUT
        assert connection.sent_twice == 1


def test_a_call_sent_again_may_have_no_time_left(hand_server: HandServer) -> None:
    """A call that began 59.9 s ago has 0.1 s left, and not 60 s more."""

    def user() -> Outcome:
        assert fate(connection, request_to(hand_server.url)) == 200
        accepted.close()
        connection.unsure = False
        with pytest.raises(CallFailed) as caught:
            connection.call(request_to(hand_server.url), None, time.perf_counter() - 59.9)
        return caught.value.outcome

    with connection_to(hand_server.url, timeout_s=60.0) as connection:
        running = gevent.spawn(user)
        accepted = hand_server.accept()
        hand_server.answer(accepted)
        assert running.get(timeout=30) is Outcome.CLIENT_TIMEOUT


@pytest.mark.parametrize("answer_bytes", [200, 470, 471, 16_384, 20_000])
def test_an_answer_sent_twice_meets_no_later_call(answer_bytes: int) -> None:
    """Whatever its size, and also where just one of the two fits what is received at once: it is counted,
    the connection ends, and the next call gets its own answer."""
    body = b'{"predictions": [%d.0]}'
    head_bytes = len(Reply(body=body.ljust(answer_bytes - 100)).message([])) - (answer_bytes - 100)
    replies_once = [Reply(body=(body % value).ljust(answer_bytes - head_bytes)) for value in range(6)]
    assert {len(reply.message([])) for reply in replies_once} == {answer_bytes}
    twice = [replace(reply, after=reply.message([])) for reply in replies_once]
    behaviour = Behaviour(script=dict(enumerate(twice)))
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        answers = [prediction(answer_of(connection, request_to(server, ONE)).body) for _ in twice]
        assert server.calls == len(twice)
        assert answers == [0, 1, 2, 3, 4, 5]
        assert fate(connection, request_to(server)) == 200
    assert connection.unasked == len(twice)
    assert connection.reconnects == 0


def test_answers_that_are_ahead_of_their_calls_are_found() -> None:
    """A second answer that comes too late to be seen at once shifts calls against answers: not for long."""
    twice = Reply(after=Reply().message([1.0]), piece_bytes=len(Reply().message([1.0])), pause_s=0.003)
    behaviour = Behaviour(default=twice)
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        end_s = time.perf_counter() + 1.0
        while time.perf_counter() < end_s:
            fate(connection, request_to(server, ONE))
    assert connection.unasked >= 3


def test_one_watchdog_ends_many_calls() -> None:
    """Twenty calls of one process time out beside others that are answered, each by its own deadline."""
    with scoring_server(Behaviour(on_path={"/never": replies.NEVER})) as server:

        def user(path: str) -> int | Outcome:
            with connection_to(server.url, timeout_s=TIMEOUT_S) as connection:
                return fate(connection, request_to(server, path=path))

        with lasting_at_least(TIMEOUT_S):
            users = [gevent.spawn(user, "/never" if number % 2 else "/invocations") for number in range(40)]
            fates = [user.get(timeout=30) for user in users]
    assert fates == [200, Outcome.CLIENT_TIMEOUT] * 20


@pytest.mark.parametrize("close", [True, False], ids=["closed", "left"])
def test_a_killed_call_leaves_nothing_behind(close: bool) -> None:
    """A greenlet is killed in its call: the connection is used again, and that call's answer meets nobody."""
    with scoring_server(Behaviour(script={1: SLOW})) as server, connection_to(server.url) as connection:

        def user() -> None:
            fate(connection, request_to(server, ONE))
            try:
                fate(connection, request_to(server, ONE))
            finally:
                if close:
                    connection.close()

        killed = gevent.spawn(user)
        gevent.sleep(0.15)
        assert connection.in_call
        killed.kill()
        assert not connection.in_call
        gevent.sleep(0.4)  # its answer would have come by now
        assert prediction(answer_of(connection, request_to(server, TWO)).body) == 2
        assert server.log()[1].client_left_s is not None


def test_a_timeout_of_gevent_in_a_call_closes_it_too() -> None:
    """Whoever bounds a call from outside goes on with a connection that owes no answer."""
    with scoring_server(Behaviour(script={0: SLOW})) as server, connection_to(server.url) as connection:
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.1):
            connection.call(request_to(server, ONE))
        assert prediction(answer_of(connection, request_to(server, TWO)).body) == 2


def test_a_call_in_flight_can_be_given_up() -> None:
    """Who moves the deadline to GIVEN_UP cuts the call off, long before its timeout."""
    with (
        scoring_server(Behaviour(default=replies.NEVER)) as server,
        connection_to(server.url, timeout_s=60.0) as connection,
    ):
        call = gevent.spawn(fate, connection, request_to(server))
        gevent.sleep(0.05)
        assert connection.in_call
        connection.deadline = GIVEN_UP
        assert call.get(timeout=5.0) is Outcome.CUT_OFF
        assert not connection.in_call


@pytest.mark.parametrize("pause_s", [0.0, 0.05], ids=["at its start", "later"])
@pytest.mark.parametrize("body", [ONE, LARGE], ids=["waiting for the answer", "sending"])
def test_a_connection_closed_by_another_greenlet(body: bytes, pause_s: float) -> None:
    """Its call is cut off instead of waiting for ever, and the loop keeps no watcher of a closed socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connection_to(url, timeout_s=60.0) as connection:
            call = gevent.spawn(fate, connection, request_to(url, body))
            gevent.sleep(pause_s)
            connection.close()
            assert call.get(timeout=5.0) is Outcome.CUT_OFF
            assert not connection.in_call
        with scoring_server() as server, connection_to(server.url) as other:
            assert fate(other, request_to(server)) == 200  # its socket is not mistaken for the closed one


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_a_wake_before_the_deadline_changes_nothing(kept: bool) -> None:
    """A call that is woken with time left waits on, and a later call is not out of time for it."""
    behaviour = Behaviour(script={int(kept): SLOW, int(kept) + 1: SLOW})
    with scoring_server(behaviour) as server, connection_to(server.url, timeout_s=10.0) as connection:
        if kept:
            assert fate(connection, request_to(server)) == 200
        alarm = get_hub().loop.timer(0.1)
        alarm.start(connection.expire)
        assert [fate(connection, request_to(server)) for _ in range(2)] == [200, 200]
        alarm.stop()
        alarm.close()
    assert connection.reconnects == 0


def test_an_unused_connection_opens_nothing() -> None:
    """Without a call there is no connection, closing it is harmless, and so is closing twice."""
    with scoring_server() as server, connection_to(server.url) as connection:
        connection.close()
        assert fate(connection, request_to(server)) == 200
        connection.close()
        connection.close()
        assert fate(connection, request_to(server)) == 200
        assert [record.connection for record in server.log()] == [0, 1]


def test_failures_say_what_happened() -> None:
    """The message of a failure is one line for a report: what, and how far the answer had come."""
    wanted = {
        replies.CLOSED: "the server closed the connection before its first byte",
        replies.CUT_IN_HEAD: "the server closed the connection in its head",
        replies.CUT_IN_BODY: "the server closed the connection in its body",
        replies.NEVER: "no whole answer after 0.3 s",
    }
    messages = []
    with (
        scoring_server(Behaviour(script=dict(enumerate(wanted)))) as server,
        connection_to(server.url, timeout_s=0.3) as connection,
    ):
        for _ in wanted:
            with pytest.raises(CallFailed) as caught:
                connection.call(request_to(server))
            messages.append(str(caught.value))
    assert messages == list(wanted.values())
