"""A load that several processes share: one schedule between them, and what becomes of it when one is lost."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from array import array
from pathlib import Path

import psutil
import pytest

from scorebench.load.arrivals import parse
from scorebench.load.dealing import Epoch, Tickets
from scorebench.load.schedule import ALL_USERS_BUSY, GENERATOR_LATE, NeverSent, Schedule
from scorebench.recordings.lost import NOT_HEARD_OF, not_heard_of
from tests.commands import Done, scorebench
from tests.scoring_server import Behaviour, Constant, scoring_server


def test_the_schedule_is_sent_whole_however_late_a_worker_begins(tmp_path: Path) -> None:
    """The run's time counts from the last worker's first call: 50/s for 3 s are 150 calls."""
    with scoring_server() as server:
        words = ["--users", "10", "--rate", "50", "--run-time", "3s", "--processes", "2"]
        done = scorebench(tmp_path, "run", server.url, *words)
        assert len(server.log()) == 150
    assert done.summary["accounting"]["due"] == done.summary["valid"] == 150


def lose(tmp_path: Path, words: list[str], lost: int) -> tuple[Done, int]:
    """A run that `lost` of its two workers don't survive; what it left, and the calls that the server saw."""
    command = [sys.executable, "-m", "scorebench", "run", "URL", "--users", "4", "--processes", "2", *words]
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        command[4] = server.url
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        server.wait_for_calls(50, timeout_s=60)
        (master,) = psutil.Process(process.pid).children()
        for worker in master.children()[:lost]:
            worker.kill()
        out, err = process.communicate(timeout=80)
        return Done(process.returncode, out, err, tmp_path / "reports"), len(server.log())


def test_a_worker_that_is_killed_is_missed(tmp_path: Path) -> None:
    """Of 50/s for 8 s 400 calls were due; its half counts as not heard of, and the run is not valid."""
    done, sent = lose(tmp_path, ["--rate", "50", "--run-time", "8s"], lost=1)
    account = done.summary["accounting"]
    assert account["due"] == 400
    assert account["never_sent"][NOT_HEARD_OF] <= 200
    assert account["valid"] <= sent < 400
    assert done.code == 4
    found = {one["code"] for one in done.summary["verdict"]["findings"] if one["severity"] == "invalid"}
    assert found >= {"worker_lost", "never_sent"}


def test_a_number_of_calls_is_sent_though_a_worker_is_killed(tmp_path: Path) -> None:
    """--calls 400: the other worker sends what the killed one had not reported, some of it a second time.

    The report has 400 calls. The server saw those, and at most as many more as the report says were lost.
    """
    done, sent = lose(tmp_path, ["--calls", "400"], lost=1)
    assert done.summary["calls"] == done.summary["accounting"]["due"] == 400, done.out + done.err
    (lost,) = re.findall(r"at most ([\d,]+) calls that it had sent are in no figure", done.out)
    assert 400 <= sent <= 400 + int(lost.replace(",", ""))
    assert done.code == 4


@pytest.mark.parametrize("words", [["--rate", "50", "--run-time", "60s"], ["--calls", "100000"]])
def test_a_run_whose_workers_are_all_lost_ends(tmp_path: Path, words: list[str]) -> None:
    """Nobody is waited for: the report is written long before the run's time, exit 4."""
    began = time.monotonic()
    done, _ = lose(tmp_path, words, lost=2)
    assert time.monotonic() - began < 45
    assert done.code == 4
    assert "2 of 2 processes of the generator" in done.out


def test_what_a_lost_worker_had_to_tell_worked_by_hand() -> None:
    """100/s for 10 s: worker 1 of 2 has every second of 1,000 calls; it told of 20, so 480 are missing.

    Where it was alone from second 4 on, it had 200 and 600 of them, and 780 are missing.
    """
    arrivals = parse("constant", 100.0, 10.0, 0)
    half, all_of_it = Epoch(0.0, 1, 2), Epoch(4.0, 0, 1)
    for epochs, most_calls, expected in (
        ([half], None, 480),
        ([half], 100, 30),
        ([half, all_of_it], None, 780),
        ([half, Epoch(4.0, None, 1)], None, 180),
    ):
        assert not_heard_of(arrivals, epochs, most_calls, reported=20, stop_s=10.0) == expected
    assert not_heard_of(None, [half], None, reported=20, stop_s=10.0) == 0


def test_calls_that_no_user_was_free_for_are_told_from_those_nobody_woke() -> None:
    """Four of ten calls due in half a second are taken: six are left, or seven, when a user held one."""
    for given_back, cause, count in (None, ALL_USERS_BUSY, 6), (0.3, GENERATOR_LATE, 7):
        schedule = Schedule(Tickets(parse("constant", 20, 0.5, 1)), 100, 0.0)
        for _ in range(4):
            schedule.take()
        if given_back is not None:
            schedule.give_back((given_back, 3))
        never_sent = schedule.never_sent(0.5)
        assert (never_sent.cause, len(never_sent.due_s)) == (cause, count)
        assert sorted({*never_sent.due_s}) == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.45])


def test_a_ticket_for_later_is_no_call_that_was_due() -> None:
    """A user that waits for the next call when the run ends has missed nothing."""
    schedule = Schedule(Tickets(parse("constant", 20, None, 1)), 100, 0.0)
    taken = [schedule.take() for _ in range(11)]
    assert taken[-1] == (0.5, 10)
    assert schedule.taken == 11
    schedule.give_back((0.5, 10))
    assert schedule.taken == 10
    assert schedule.never_sent(0.5) == NeverSent(ALL_USERS_BUSY, array("d"))


def test_a_test_leaves_no_file_open() -> None:
    """Locust's page may start many tests in one process: each gives its timer back."""
    code = """
import gevent
import os
from scorebench.cli import parser
from scorebench.runs.request import Request
from scorebench.payloads.payload import Payload
from scorebench.plugin.users.session import Session
settings = Request.of(parser().parse_args(["run", "http://127.0.0.1:1", "--rate", "100"]), "a test").settings
def opened():
    session = Session(settings, Payload((b"x",), (1,), "text/csv", "a test's"))
    session.sending.start()
    during = len(os.listdir("/proc/self/fd"))
    session.finish(0.0)
    gevent.sleep(0.1)
    return during, len(os.listdir("/proc/self/fd"))
print([opened() for _ in range(4)])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    found = ast.literal_eval(said)
    during, after = found[-1]
    assert during == after + 1
    assert found[1:] == [(during, after)] * 3


def test_what_is_taken_while_a_batch_is_counted_is_whole() -> None:
    """A worker's report may come between two steps of counting: the whole batch is in it."""
    code = """
import gevent
from scorebench.cli import parser
from scorebench.runs.request import Request
from scorebench.payloads.payload import Payload
from scorebench.plugin.users.session import Session
settings = Request.of(parser().parse_args(["run", "http://127.0.0.1:1"]), "a test").settings
session = Session(settings, Payload((b"x",), (1,), "text/csv", "a test's"))
session.sending.start()
def steps():
    for step in range(5):
        session.counting.pending.add_never_sent("a step", 1)
        yield
counting = gevent.spawn(session.counting.count, steps())
gevent.sleep(0.0005)
begun = session.counting.pending.never_sent["a step"]
taken = session.take_recording()
counting.join()
print([begun, taken.never_sent["a step"], sum(session.take_recording().never_sent.values())])
session.finish(0.0)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    begun, taken, after = ast.literal_eval(said)
    assert 0 < begun < 5
    assert (taken, after) == (5, 0)


def test_counting_makes_way_for_a_user_who_is_due_and_not_for_ever() -> None:
    """A step waits until nobody is due within it; where somebody always is, it is put off five times."""
    code = """
from scorebench.answers.answer import Judge
from scorebench.plugin.users.counting import Counting
said = []
for due_until in (1, 3, 1000):
    asked = []
    is_near = lambda within_s: asked.append(within_s) or len(asked) < due_until
    Counting((1,), judge=Judge((1,)), hidden=bytes, is_near=is_near).make_way()
    said.append(len(asked))
print(said)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert ast.literal_eval(said) == [1, 3, 5]


def test_one_user_for_two_workers_makes_all_calls(tmp_path: Path) -> None:
    """The worker without a user hands on its half of the 30 calls: none is missing, and the run ends."""
    with scoring_server(Behaviour()) as server:
        words = ["--users", "1", "--processes", "2", "--calls", "30", "--run-time", "40s"]
        done = scorebench(tmp_path, "run", server.url, *words)
        sent = len([record for record in server.log() if record.path == "/invocations"])
    assert done.ends_with(0), done.err
    assert done.summary["calls"] == sent == 30
    assert done.summary["wall_time_s"] < 30
