"""A connection's life between calls and beyond them: found closed, out of time, killed, used again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent import get_hub

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client import watchdog
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


@pytest.mark.parametrize("pause_s", [None, 0.05], ids=["at once", "after a pause"])
@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
def test_a_connection_found_closed_is_reopened(pause_s: float | None, body: bytes) -> None:
    """A server that closes after each answer without a word fails no call: each opens a new connection."""
    with (
        scoring_server(Behaviour(default=replies.STALE)) as server,
        connection_to(server.url) as connection,
    ):
        fates = []
        for _ in range(4):
            fates.append(fate(connection, request_to(server, body)))
            if pause_s is not None:
                gevent.sleep(pause_s)
        served = [record for record in server.log() if record.answered_s is not None]
    assert fates == [200] * 4
    assert [record.connection for record in served] == [0, 1, 2, 3]
    assert connection.reconnects == 3


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
def test_a_call_is_sent_again_once(reply: Reply, outcome: Outcome) -> None:
    """The server took the call and hung up: once that is borne on a kept connection, twice it is not."""
    behaviour = Behaviour(script={1: reply, 3: reply, 4: reply})
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        # Calls at the server: 0 | 1 hung up on, again as 2 | 3 hung up on, again as 4 and so too | 5
        assert [fate(connection, request_to(server)) for _ in range(4)] == [200, 200, outcome, 200]
        assert [record.connection for record in server.log()] == [0, 0, 1, 1, 2, 3]
    assert connection.reconnects == 2


@pytest.mark.parametrize("body", [ONE, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_a_call_that_was_given_up_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, end: End, body: bytes
) -> None:
    """The server hangs up on it before the watchdog looks: the call is cut off, and stays one call."""
    monkeypatch.setattr(watchdog, "PERIOD_S", 60.0)
    hung_up = Reply(service_s=0.3, cut=0, end=end)
    with scoring_server(Behaviour(script={1: hung_up})) as server, connection_to(server.url) as connection:
        assert fate(connection, request_to(server, body)) == 200
        gevent.spawn_later(0.1, connection.give_up)
        assert fate(connection, request_to(server, body)) is Outcome.CUT_OFF
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


def test_a_call_sent_again_has_the_time_that_is_left() -> None:
    """The second sending has no time of its own: together they end at the call's one timeout."""
    behaviour = Behaviour(script={1: Reply(cut=0, end=End.CLOSE, service_s=0.4), 2: replies.NEVER})
    with scoring_server(behaviour) as server, connection_to(server.url, timeout_s=0.8) as connection:
        assert fate(connection, request_to(server)) == 200
        with lasting_at_least(0.8):
            assert fate(connection, request_to(server)) is Outcome.CLIENT_TIMEOUT
        gevent.sleep(0.1)  # until the server has seen us leave
        calls = server.log()
    left_s = [call.client_left_s - call.first_byte_s for call in calls if call.client_left_s is not None]
    assert len(calls) == 3
    # 0.8 s less 0.4 s, and not 0.8 s again; the upper bound stands halfway.
    assert 0.3 < left_s[-1] < 0.7


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
