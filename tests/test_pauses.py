"""While one user reads a large answer, the others go on; and a killed one still records its call."""

from __future__ import annotations

import ast
import subprocess
import sys
from time import perf_counter as clock

import gevent
import pytest

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.answers.readings import expected
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


@pytest.mark.parametrize(
    ("row", "reading"),
    [
        (b'"a word, and \\"one\\" more [{"', "rows"),
        (b'{"label": "one", "score": 0.5}', "rows"),
        (b"[[1.5, 2.5], [3.5, 4.5]]", "rows"),
        (b'"a word, and \\"one\\" more [{"', "any"),
        (b'"a word, and \\"one\\" more [{"', "$.predictions"),
    ],
)
def test_others_go_on_whatever_a_large_answer_holds(row: bytes, reading: str) -> None:
    """4 MB of text, objects or lists, by each reading: no slice keeps the others for long."""
    rows = 4_000_000 // len(row)
    body = b'{"predictions": [' + (row + b", ") * (rows - 1) + row + b"]}"
    judge = Judge((rows,), expected(reading).reading, pause=Pauses())
    turns, judging = 0, gevent.spawn(judge.judge, 0, Answer(200, "application/json", body))
    while not judging.ready():
        gevent.sleep(0.001)
        turns += 1
    assert judging.value is Outcome.VALID
    assert turns > 20  # 4 MB are 61 slices; some are read in less than the millisecond between two turns


def test_one_large_row_keeps_nobody() -> None:
    """A picture is one row of lists in lists: it is cut within the row, and counts once."""
    picture = b"[" + b",".join([b"[" + b",".join([b"0.25"] * 1_000) + b"]"] * 800) + b"]"
    judge, turns = Judge((2,), pause=Pauses()), 0
    body = b'{"predictions": [' + picture + b", " + picture + b"]}"
    judging = gevent.spawn(judge.judge, 0, Answer(200, "application/json", body))
    while not judging.ready():
        gevent.sleep(0.001)
        turns += 1
    assert judging.value is Outcome.VALID
    assert turns > 20


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


READ_BY_THE_SCRIPTS = """
from scorebench.plugin.users import passes  # first: Locust patches sockets
import gevent
from types import SimpleNamespace
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.client.pauses import Pauses
from scorebench.recordings.calls import tag

column = b"1.5," * 999_999 + b"1"
body = b'{"predictions": {"low": [' + column + b'], "high": [' + column + b"]}}"
session = SimpleNamespace(
    counting=SimpleNamespace(judge=lambda *_: Outcome.VALID), sending=SimpleNamespace(pauses=Pauses())
)
answers, turns, made = passes._Answers(session), [], []

def read():
    answers.judge(0, Answer(200, "application/json", body))
    made.append(passes._call(0, 0, (0.0, 0.0, 1.0, tag(0, Outcome.VALID), 0), answers))
    turns.append(0)
    answers.give_up(made[0].predictions)

turns.append(0)
reading = gevent.spawn(read)
while not reading.ready():
    gevent.sleep(0.001)
    turns[-1] += 1
reading.get()
print(turns)
"""


def test_the_scripts_read_a_large_answer_while_their_other_callers_go_on() -> None:
    """Two columns of a million numbers are rows of two: 8 MB are 122 slices, and a hundred chunks of rows."""
    done = subprocess.run(
        [sys.executable, "-c", READ_BY_THE_SCRIPTS], capture_output=True, check=True, text=True
    )
    reading, freeing = ast.literal_eval(done.stdout)
    assert reading > 100
    assert freeing > 20
