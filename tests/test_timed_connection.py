"""A connection of --timings: each phase in its place, and the answer as it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter as clock

import pytest

from scorebench.client.target import Target
from scorebench.client.timed import TimedConnection
from scorebench.client.tls import client_context
from scorebench.client.watchdog import Watchdog
from tests.client import USUAL, answer_of, connection_to, request_to
from tests.scoring_server import Behaviour, End, Framing, Reply, certificates, scoring_server
from tests.test_connection import LARGE


@contextmanager
def timed_to(url: str, **options: object) -> Iterator[TimedConnection]:
    connection = TimedConnection(Target.parse(url), Watchdog(), **{**USUAL, **options})
    try:
        yield connection
    finally:
        connection.close()


SAID = b"total;dur=1, parse;dur=0.5"
TOLD = (("Server-Timing", "total;dur=1, parse;dur=0.5"),)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(Reply(headers=TOLD), SAID, id="one header"),
        pytest.param(
            Reply(headers=(*TOLD, ("server-timing", "a;dur=2"))),
            SAID + b", a;dur=2",
            id="two",
        ),
        pytest.param(Reply(), b"", id="none"),
        pytest.param(Reply(headers=TOLD, framing=Framing.CHUNKED), SAID, id="chunked"),
        pytest.param(
            Reply(before=b"HTTP/1.1 103 Early Hints\r\nserver-timing: early;dur=9\r\n\r\n", headers=TOLD),
            SAID,
            id="not that of an interim answer",
        ),
    ],
)
def test_the_header_is_kept_and_the_answer_is_the_same(reply: Reply, told: bytes) -> None:
    with scoring_server(Behaviour(default=reply)) as server:
        with connection_to(server.url) as plain:
            expected = answer_of(plain, request_to(server))
        with timed_to(server.url) as connection:
            answers = [answer_of(connection, request_to(server)) for _ in range(3)]
    assert connection.server_timing == told
    assert [(one.status, one.body, one.content_type) for one in answers] == [
        (expected.status, expected.body, expected.content_type)
    ] * 3


def test_the_phases_of_calls_are_in_order() -> None:
    """The first call opens its connection, the second has it; the server serves for 20 ms."""
    with (
        scoring_server(Behaviour(default=Reply(service_s=0.02))) as server,
        timed_to(server.url) as connection,
    ):
        noted = []
        for _ in range(2):
            began_s = clock()
            answer_of(connection, request_to(server))
            noted.append((began_s, connection.phases, clock()))
        log = server.log()
    for began_s, (_, _, _, sent_s, first_s), done_s in noted:
        assert began_s < sent_s < first_s <= done_s
        assert first_s - sent_s >= 0.019  # the server may have it before our send has returned
    (_, first, _), (_, second, _) = noted
    assert first[0] > 0  # the address, which is looked up even where it is a number
    assert first[1] > 0
    assert first[2] == 0
    assert second[:3] == (0, 0, 0)
    assert len({record.connection for record in log}) == 1


def test_tls_is_a_phase_of_its_own(tmp_path: Path) -> None:
    """A handshake is no part of connecting, and a large body is sent when its last encrypted byte is."""
    papers = certificates(tmp_path)
    with (
        scoring_server(tls=papers.server) as server,
        timed_to(server.url, tls=client_context(papers.ca)) as connection,
    ):
        began_s = clock()
        answer_of(connection, request_to(server, LARGE))
        name_s, connect_s, tls_s, sent_s, first_s = connection.phases
    assert min(name_s, connect_s, tls_s) > 0
    assert began_s + name_s + connect_s + tls_s < sent_s < first_s <= clock()


def test_a_call_on_a_connection_that_had_ended_is_timed_anew() -> None:
    """The server closes after each answer without saying so: every call opens a connection of its own."""
    silent = Reply(end=End.CLOSE, announce_end=False)
    with scoring_server(Behaviour(default=silent)) as server, timed_to(server.url) as connection:
        for _ in range(2):
            began_s = clock()
            answer_of(connection, request_to(server))
            _, connect_s, _, sent_s, first_s = connection.phases
            assert connect_s > 0
            assert began_s < sent_s < first_s <= clock()
            time.sleep(0.05)  # the end arrives


def test_nothing_is_noted_without_it() -> None:
    """The usual connection's send and receive are the socket's own: no call pays for timings."""
    with scoring_server(Behaviour()) as server, connection_to(server.url) as connection:
        answer_of(connection, request_to(server))
        assert connection._send.__self__ is connection._wire._sock  # type: ignore[union-attr,attr-defined]
