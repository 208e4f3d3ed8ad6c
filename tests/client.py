"""Connections to fake servers, and what became of calls on them. Knows the client; judges no prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scorebench.answers.http_message import Answer, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.connection import Connection
from scorebench.client.target import Target
from scorebench.client.watchdog import Watchdog
from tests.raw_client import TWO_ROWS
from tests.scoring_server import ScoringServer

USUAL = {"timeout_s": 60.0, "connect_timeout_s": 5.0, "max_answer_bytes": 64 * 2**20}


@contextmanager
def connection_to(url: str, **options: Any) -> Iterator[Connection]:
    """A connection with its own watchdog, closed at the end."""
    connection = Connection(Target.parse(url), Watchdog(), **(USUAL | options))
    try:
        yield connection
    finally:
        connection.close()


def request_to(
    server: ScoringServer | str,
    body: bytes = TWO_ROWS,
    path: str = "/invocations",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole request with `body` for that server, or its URL."""
    url = server if isinstance(server, str) else server.url
    return Target.parse(url + path).request(body, "application/json", headers)


def answer_of(connection: Connection, request: bytes) -> Answer:
    """The answer to a call that gets one."""
    answer = connection.call(request)
    assert answer is not None
    return answer


def fate(connection: Connection, request: bytes) -> int | Outcome:
    """The status that a call was answered with, or the outcome that it failed with."""
    try:
        return answer_of(connection, request).status
    except CallFailed as failure:
        return failure.outcome
