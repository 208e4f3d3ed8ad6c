"""A connection brings every answer that HTTP/1.1 allows, and survives every one that it does not."""

from __future__ import annotations

import json
import socket

import gevent
import pytest

from scorebench.answers.http_message import MAX_HEAD_BYTES, CallFailed
from scorebench.answers.outcome import Outcome
from tests import requirements
from tests.client import answer_of, connection_to, fate, request_to
from tests.raw_client import ANSWER
from tests.scoring_server import (
    Behaviour,
    End,
    Framing,
    Predictions,
    Read,
    Reply,
    refusing_port,
    replies,
    scoring_server,
    silent_port,
)

LARGE = b'{"inputs": ["' + b"x" * 6_000_000 + b'"]}'  # 6 MB: more than socket buffers hold
CHUNKED_AND_CLOSED = Reply(framing=Framing.CHUNKED, end=End.CLOSE)
KEPT, CLOSED = 1, 3


@pytest.mark.parametrize(
    ("reply", "connections"),
    [
        pytest.param(replies.PREDICTED, KEPT, id="length"),
        pytest.param(replies.CHUNKED, KEPT, id="chunked"),
        pytest.param(replies.CLOSING, CLOSED, id="connection: close"),
        pytest.param(CHUNKED_AND_CLOSED, CLOSED, id="chunked and closed"),
        pytest.param(replies.UNTIL_CLOSE, CLOSED, id="no length"),
        pytest.param(replies.CONTINUE_FIRST, KEPT, id="100 first"),
        pytest.param(replies.HINTS_FIRST, KEPT, id="103 first"),
        pytest.param(replies.DRIP, KEPT, id="byte by byte"),
        pytest.param(replies.GARBAGE_AFTER, CLOSED, id="another answer after it"),
    ],
)
def test_whole_answers(reply: Reply, connections: int) -> None:
    """Each answer is read whole; the connection is kept where the answer lets it, and no call is repeated."""
    with scoring_server(Behaviour(default=reply)) as server, connection_to(server.url) as connection:
        answers = [answer_of(connection, request_to(server)) for _ in range(3)]
        log = server.log()
    assert [(answer.status, json.loads(answer.body)) for answer in answers] == [(200, ANSWER)] * 3
    assert {answer.content_type for answer in answers} == {"application/json"}
    assert (len(log), len({record.connection for record in log})) == (3, connections)
    assert connection.reconnects == 0


def test_an_empty_body_is_an_answer() -> None:
    """A 200 with no byte in it is whole, and it is for the judge to say what it is worth."""
    with (
        scoring_server(Behaviour(default=replies.EMPTY)) as server,
        connection_to(server.url) as connection,
    ):
        answers = [answer_of(connection, request_to(server)) for _ in range(2)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"")] * 2


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param(replies.CLOSED, Outcome.CONNECTION_CLOSED, id="closed"),
        pytest.param(replies.RESET, Outcome.CONNECTION_RESET, id="reset"),
        pytest.param(replies.CUT_IN_HEAD, Outcome.CONNECTION_CLOSED, id="cut in its head"),
        pytest.param(replies.CUT_IN_BODY, Outcome.CONNECTION_CLOSED, id="cut in its body"),
        pytest.param(replies.CUT_IN_CHUNKS, Outcome.CONNECTION_CLOSED, id="cut in its chunks"),
        pytest.param(replies.RESET_IN_BODY, Outcome.CONNECTION_RESET, id="reset in its body"),
        pytest.param(replies.MALFORMED, Outcome.MALFORMED_HTTP, id="malformed"),
        pytest.param(replies.NOT_HTTP, Outcome.MALFORMED_HTTP, id="SSH"),
        pytest.param(
            replies.raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
            Outcome.MALFORMED_HTTP,
            id="another protocol",
        ),
        pytest.param(
            replies.raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * MAX_HEAD_BYTES),
            Outcome.MALFORMED_HTTP,
            id="header flood",
        ),
        pytest.param(
            replies.raw(b"HTTP/1.1 102 Processing\r\n\r\n" * MAX_HEAD_BYTES),
            Outcome.MALFORMED_HTTP,
            id="1xx flood",
        ),
        pytest.param(replies.huge(300_001), Outcome.ANSWER_TOO_LARGE, id="too large"),
        pytest.param(
            replies.huge(300_001, Framing.CHUNKED), Outcome.ANSWER_TOO_LARGE, id="too large in chunks"
        ),
    ],
)
def test_a_broken_answer_is_the_outcome_of_its_call_alone(reply: Reply, outcome: Outcome) -> None:
    """The call fails with its own outcome and is not sent again; the next one is answered."""
    with (
        scoring_server(Behaviour(script={0: reply})) as server,
        connection_to(server.url, max_answer_bytes=300_000) as connection,
    ):
        fates = [fate(connection, request_to(server)) for _ in range(3)]
        log = server.log()
    assert fates == [outcome, 200, 200]
    assert [record.connection for record in log] == [0, 1, 1]
    assert connection.reconnects == 0


def test_an_answer_may_be_as_large_as_allowed() -> None:
    """The cap is on the body, and inclusive."""
    with (
        scoring_server(Behaviour(default=replies.huge(300_000))) as server,
        connection_to(server.url, max_answer_bytes=300_000) as connection,
    ):
        assert len(answer_of(connection, request_to(server)).body) == 300_000


@pytest.mark.parametrize("framing", [Framing.LENGTH, Framing.CHUNKED])
def test_large_bodies_pass_whole_both_ways(framing: Framing) -> None:
    """Megabytes go out and come in, and the connection is kept."""
    body = bytes(range(32, 127)) * 50_000
    behaviour = Behaviour(default=Reply(body=body, framing=framing))
    with scoring_server(behaviour) as server, connection_to(server.url) as connection:
        for _ in range(2):
            assert answer_of(connection, request_to(server, LARGE)).body == body
        log = server.log()
    assert [record.body == LARGE for record in log] == [True, True]
    assert {record.connection for record in log} == {0}


@pytest.mark.parametrize("reply", [replies.EARLY, replies.EARLY_AND_GONE])
def test_an_answer_before_the_request_was_read(reply: Reply) -> None:
    """A server that refuses a large body by its head is heard, and the connection not used again."""
    with (
        scoring_server(Behaviour(script={0: reply, 2: reply})) as server,
        connection_to(server.url) as connection,
    ):
        fates = [fate(connection, request_to(server, LARGE)) for _ in range(4)]
        log = server.log()
    assert fates == [413, 200, 413, 200]
    assert [record.connection for record in log] == [0, 1, 1, 2]


def test_an_early_answer_on_an_open_connection_ends_the_sending() -> None:
    """A server that answers and reads no more would block us for ever; the answer is taken all the same."""
    early = Reply(413, b"too large", read=Read.HEAD)
    with scoring_server(Behaviour(script={0: early})) as server, connection_to(server.url) as connection:
        assert [fate(connection, request_to(server, LARGE)) for _ in range(2)] == [413, 200]


def test_an_interim_answer_does_not_end_the_sending() -> None:
    """100 Continue in the middle of a large body is no answer: the rest of the body still goes out."""
    with scoring_server() as server, connection_to(server.url, timeout_s=10.0) as connection:
        request = request_to(server, LARGE, headers={"Expect": "100-continue"})
        assert fate(connection, request) == 200
        assert server.log()[0].body == LARGE


def test_a_server_that_hangs_up_on_a_large_body() -> None:
    """Where it sends no answer at all, the call fails at once and not at its timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connection_to(url, timeout_s=30.0) as connection:
            call = gevent.spawn(fate, connection, request_to(url, LARGE))
            gevent.sleep(0.05)
            accepted, _ = listener.accept()
            accepted.shutdown(socket.SHUT_WR)  # it reads no more either: only the end tells the client
            assert call.get(timeout=10.0) is Outcome.CONNECTION_CLOSED
            accepted.close()


def test_refused() -> None:
    """Where nobody listens, each call says so, and none waits."""
    url = f"http://127.0.0.1:{refusing_port()}"
    with connection_to(url) as connection:
        fates = [fate(connection, request_to(url)) for _ in range(3)]
    assert fates == [Outcome.CONNECTION_REFUSED] * 3
    assert connection.reconnects == 0


def test_the_wait_after_refused_connections_grows_to_a_second() -> None:
    """It doubles with each refusal, ends at 1 s, and a connection that is made ends it."""
    port = refusing_port()
    url = f"http://127.0.0.1:{port}"
    with connection_to(url) as connection:
        waits = [connection.back_off_s]
        for _ in range(9):
            fate(connection, request_to(url))
            waits.append(connection.back_off_s)
        # 0.01 s doubled six times is 0.64 s; the next would be 1.28 s
        assert waits == [0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]
        with scoring_server(port=port):
            assert fate(connection, request_to(url)) == 200
        assert connection.back_off_s == 0.0


def test_a_name_without_an_address() -> None:
    """It fails, and the message has the name."""
    with connection_to("http://no..name:5001") as connection:
        with pytest.raises(CallFailed, match=r"no\.\.name") as caught:
            connection.call(request_to("http://no..name:5001"))
        assert caught.value.outcome is Outcome.CONNECTION_FAILED
        assert not connection.in_call


def test_each_address_of_a_name_is_tried() -> None:
    """localhost may be ::1 first; a server on 127.0.0.1 alone is reached all the same."""
    with scoring_server() as server, connection_to(f"http://localhost:{server.port}") as connection:
        assert fate(connection, request_to(server)) == 200


def test_ipv6() -> None:
    """An address in brackets is called, and the Host header has them."""
    requirements.ipv6()
    with scoring_server(ipv6=True) as server, connection_to(server.url) as connection:
        assert fate(connection, request_to(server)) == 200
        assert server.log()[0].headers["host"] == f"[::1]:{server.port}"


def test_no_connection_in_time() -> None:
    """A port that neither takes nor refuses us is a connect timeout."""
    with (
        silent_port() as port,
        connection_to(f"http://127.0.0.1:{port}", connect_timeout_s=0.2) as connection,
    ):
        assert fate(connection, request_to(f"http://127.0.0.1:{port}")) is Outcome.CONNECT_TIMEOUT


def test_an_expected_answer_is_none() -> None:
    """The bytes that were seen before need no reading; others are read."""
    with (
        scoring_server(Behaviour(script={2: Reply(body=Predictions(extra=1))})) as server,
        connection_to(server.url) as connection,
    ):
        first = answer_of(connection, request_to(server))
        assert first.raw is not None
        assert connection.call(request_to(server), first.raw) is None
        other = connection.call(request_to(server), first.raw)
        assert other is not None
        assert len(json.loads(other.body)["predictions"]) == 3
        assert connection.call(request_to(server), first.raw) is None
        assert server.calls == 4


@pytest.mark.parametrize("spaces", [0, 300, 450, 16_000])
def test_an_answer_of_any_size_can_be_expected(spaces: int) -> None:
    """However much is received at once, an answer that comes whole is soon known again by its bytes."""
    reply = Reply(body=b'{"predictions": [1.0, 2.0]}' + b" " * spaces)
    with scoring_server(Behaviour(default=reply)) as server, connection_to(server.url) as connection:
        read = [answer_of(connection, request_to(server)) for _ in range(3)]
        assert [answer.body for answer in read] == [reply.body] * 3
        assert read[-1].raw is not None
        assert [connection.call(request_to(server), read[-1].raw) for _ in range(3)] == [None] * 3
        assert server.calls == 6


def test_answers_about_as_long_as_what_is_received_at_once() -> None:
    """One byte less, as many, one byte more: the whole answer is read, and the next call gets its own."""
    bodies = [b'{"predictions": [1.0, 2.0]}' + b" " * spaces for spaces in range(500)]
    script = {number: Reply(body=body) for number, body in enumerate(bodies)}
    with scoring_server(Behaviour(script=script)) as server, connection_to(server.url) as connection:
        assert [answer_of(connection, request_to(server)).body for _ in bodies] == bodies


@pytest.mark.parametrize(
    "reply", [replies.CLOSING, replies.GARBAGE_AFTER, replies.huge(100_000), replies.DRIP]
)
def test_answers_that_may_not_be_compared_have_no_raw(reply: Reply) -> None:
    """Where equal bytes would not mean that the connection may be kept, or came in pieces, there are none."""
    with scoring_server(Behaviour(default=reply)) as server, connection_to(server.url) as connection:
        assert answer_of(connection, request_to(server)).raw is None


def test_many_connections_mix_no_answers_up() -> None:
    """Thirty-two users, forty calls each, in one process: each gets the answer to its own body."""
    with scoring_server() as server:

        def user(number: int) -> list[float]:
            with connection_to(server.url) as connection:
                return [
                    json.loads(
                        answer_of(connection, request_to(server, b"[[%d, %d]]" % (number, call))).body
                    )["predictions"][0]
                    for call in range(40)
                ]

        users = [gevent.spawn(user, number) for number in range(32)]
        predictions = [user.get(timeout=60) for user in users]
        log = server.log()
    assert predictions == [[number + call for call in range(40)] for number in range(32)]
    assert len(log) == 32 * 40
    assert len({record.connection for record in log}) == 32
