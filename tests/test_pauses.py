"""While one user reads a large answer, the others go on; and a killed one still records its call."""

from __future__ import annotations

from time import perf_counter as clock

import gevent

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.client.pauses import Pauses

ROWS = 2_000_000
LARGE = Answer(200, "application/json", b'{"predictions": [' + b"1.5," * (ROWS - 1) + b"1]}")


def test_others_go_on_while_a_large_answer_is_read() -> None:
    """8 MB of numbers take many slices: another greenlet runs again and again before they are counted."""
    judge, turns = Judge((ROWS,), pause=Pauses()), 0
    reading = gevent.spawn(judge.judge, 0, LARGE)
    while not reading.ready():
        gevent.sleep(0.001)
        turns += 1
    assert reading.value is Outcome.VALID
    assert turns > 50  # 8 MB in slices of 64 kB are 125, and each lets the others go


def test_a_killed_user_finishes_what_it_reads_and_ends() -> None:
    """Its call is recorded, though not one that it would make after that."""
    pauses = Pauses()
    judge, recorded = Judge((ROWS,), pause=pauses), []

    def user() -> None:
        while True:
            recorded.append(judge.judge(0, LARGE))
            gevent.sleep(60)

    reading = gevent.spawn(user)
    gevent.sleep(0.02)
    assert pauses.active == 1
    began_s = clock()
    reading.kill(timeout=30)
    assert clock() - began_s < 30
    assert recorded == [Outcome.VALID]
    assert pauses.active == 0
