"""Users that were asked for are there when the first call leaves, or the run says that they were not."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.commands import locust, scorebench
from tests.scoring_server import Behaviour, Constant, scoring_server


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_the_first_call_waits_for_the_last_user(tmp_path: Path, processes: list[str]) -> None:
    """240 calls of 2 s by 240 users: one each. Users that came earlier than others would have sent more."""
    with scoring_server(Behaviour(service=Constant(2.0))) as server:
        words = ["--users", "240", "--calls", "240", *processes]
        done = scorebench(tmp_path, "run", server.url, *words)
        calls_of = Counter(record.connection for record in server.log())
    assert done.summary["valid"] == 240, done.out + done.err
    assert set(calls_of.values()) == {1}
    assert len(calls_of) == 240
    assert "spawn rate" not in done.err


def test_a_ramp_that_never_ends_is_not_valid(tmp_path: Path) -> None:
    """Fifty users, five a second, for 3 s: at most twenty were there, and the measurement is not valid."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        done = locust(tmp_path, "-H", server.url, "-u", "50", "-r", "5", "-t", "3s")
    assert done.code == 4, done.err
    (text,) = [f["text"] for f in done.summary["verdict"]["findings"] if f["code"] == "users_missing"]
    assert "of 50 users had started when the run ended" in text


def test_users_that_never_come_are_not_waited_for_for_ever() -> None:
    """Two of three users are ready: the test starts at its limit, and says how many were there."""
    code = """
import gevent
from scorebench.cli import parser
from scorebench.payloads.payload import Payload
from scorebench.runs.request import Request
from scorebench.plugin.users.session import Session
settings = Request.of(parser().parse_args(["run", "http://127.0.0.1:1"]), "a test").settings
def started(users, expected):
    sending = Session(settings, Payload((b"x",), (1,), "text/csv", "a test's")).sending
    sending.gather()
    for _ in range(users):
        gevent.spawn(sending.wait_for_start)
    gevent.sleep(0)
    waiting = not sending.share.running
    sending.expect(expected)
    return waiting, sending.share.running, sending.start_by(0.05), sending.share.running
print([started(2, 3), started(3, 3), started(0, 3)])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    waits, comes = (True, False, (2, 3), True), (True, True, None, True)
    assert ast.literal_eval(said) == [waits, comes, (True, False, (0, 3), True)]
