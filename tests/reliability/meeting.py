"""The client meets a hostile server: what became of each call, beside the server's own log.

Knows the client, the judge and the fake server; which behaviours there are stands in `hostile`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gevent

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import CallFailed
from scorebench.client.connection import Connection
from tests.client import connection_to, request_to
from tests.reliability.hostile import MOST_BYTES, Hostile
from tests.scoring_server import Behaviour, ScoringServer, scoring_server

ONE_ROW = b'{"inputs": [[1]]}'


@dataclass(frozen=True)
class Met:
    """What became of the calls, and what the server's log says: calls that it read, and that it answered."""

    got: tuple[str, ...]
    read: int
    answered: int
    unasked: int
    """How often the client noticed bytes that no call had asked for."""

    def holds(self, case: Hostile) -> bool:
        """Whether each call ended as expected, and the server read each call once."""
        noticed = self.unasked >= case.unasked if case.unasked else not self.unasked
        return noticed and (self.got, self.read) == (case.expected, len(case.replies))


@contextmanager
def hostile_server(cases: Sequence[Hostile]) -> Iterator[ScoringServer]:
    """One server for all: a call's path says which case and which of its replies is meant."""
    paths = {
        path_of(number, call): reply
        for number, case in enumerate(cases)
        for call, reply in enumerate(case.replies)
    }
    with scoring_server(Behaviour(on_path=paths)) as server:
        yield server


def path_of(case: int, call: int) -> str:
    return f"/{case}/{call}"


def meet(server: ScoringServer, number: int, case: Hostile) -> Met:
    """Make the calls of one case, over one connection, and look them up in the log."""
    judge = Judge((1,), nulls=case.nulls)
    with connection_to(server.url, timeout_s=case.timeout_s, max_answer_bytes=MOST_BYTES) as connection:
        got = []
        for call in range(len(case.replies)):
            got.append(_fate(connection, judge, request_to(server, ONE_ROW, path_of(number, call))))
            gevent.sleep(case.pause_s)
    log = [record for record in server.log() if record.path.startswith(f"/{number}/")]
    return Met(tuple(got), len(log), sum(record.answered_s is not None for record in log), connection.unasked)


def _fate(connection: Connection, judge: Judge, request: bytes) -> str:
    try:
        answer = connection.call(request)
    except CallFailed as failure:
        return failure.outcome.label
    assert answer is not None
    return judge.judge(0, answer).label
