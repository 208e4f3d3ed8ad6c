"""What is shown while a run goes on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from scorebench.answers.outcome import Outcome
from scorebench.figures.live import look
from scorebench.report.live import line
from tests.commands import scorebench
from tests.locust_page import WINE
from tests.recordings import calls, evenly, recording
from tests.scoring_server import Behaviour, Constant, scoring_server
from tests.terminal import on_terminal, screen


def test_rates_are_those_of_the_last_whole_seconds() -> None:
    """100 calls a second for 8 s: 100/s due, sent and valid, and the percentiles that 800 calls support."""
    of = recording(calls(evenly(800, rate_per_s=100)))
    first_s = of.measured.first_due_s
    assert first_s is not None
    live = look(of, now_s=first_s + 8, started_s=first_s, of_s=16.0)
    assert (live.calls, live.valid, live.share_done) == (800, 800, 0.5)
    assert (live.due_per_s, live.sent_per_s, live.throughput_per_s) == (100, 100, 100)
    assert live.percentiles_s["p99"] is not None
    assert json.loads(json.dumps(live.to_dict()))["outcomes"] == {"valid": 800}


def test_rates_wait_for_what_workers_have_not_told_yet() -> None:
    """At 8 s the workers have told of 5 s: looked at 4 s behind, the rate is the 100/s that it was."""
    of = recording(calls(evenly(500, rate_per_s=100)))
    first_s = of.measured.first_due_s
    assert first_s is not None
    late, early = (look(of, now_s=first_s + 8, started_s=first_s, behind_s=behind) for behind in (4, 1))
    assert (late.due_per_s, late.sent_per_s) == (100, 100)
    assert early.due_per_s is not None
    assert early.due_per_s < 50


def test_what_is_not_known_yet_is_none() -> None:
    """In the first second there is no rate, and ten calls support no p99."""
    of = recording(calls(evenly(10, rate_per_s=100)))
    first_s = of.measured.first_due_s
    assert first_s is not None
    live = look(of, now_s=first_s + 0.5, started_s=first_s)
    assert (live.throughput_per_s, live.percentiles_s["p99"], live.share_done) == (None, None, None)
    assert "no rate yet" in line(live)


def test_calls_that_are_not_valid_are_named() -> None:
    """The line says how many and why."""
    of = recording(calls(evenly(100, rate_per_s=100), outcome=[Outcome.OVERLOADED] + [Outcome.VALID] * 99))
    first_s = of.measured.first_due_s
    assert first_s is not None
    assert "overloaded 1 (1 %)" in line(look(of, now_s=first_s + 3, started_s=first_s))


def test_a_pipe_gets_plain_lines(tmp_path: Path) -> None:
    """A line after five seconds, without an escape code; the report stays alone on stdout."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--run-time", "7s")
    assert "5 s of 7 s: " in done.err
    assert "\x1b" not in done.err
    assert done.out.startswith("Sent: ")
    assert "\nMeasurement: valid\n" in done.out


def test_a_program_gets_json(tmp_path: Path) -> None:
    """SCOREBENCH_PROGRESS=json: an object a second, its calls rising."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["--users", "2", "--run-time", "4s"]
        done = scorebench(tmp_path, "run", server.url, *words, SCOREBENCH_PROGRESS="json")
    told = [json.loads(text) for text in done.err.splitlines()]
    assert len(told) >= 2
    assert [one["calls"] for one in told] == sorted(one["calls"] for one in told)


def test_quiet_says_nothing(tmp_path: Path) -> None:
    """--quiet: no progress and no report."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "2", "--run-time", "6s", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(tmp_path: Path) -> None:
    """On a terminal the figures are drawn over one another, and the report stands last."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        command = [sys.executable, "-m", "scorebench", "run", server.url, "--users", "2", "--run-time", "3s"]
        shown = on_terminal(command, tmp_path)
    assert "2 s of 3 s" in shown
    assert "━" in shown
    assert "\x1b[1A" in shown, "nothing was drawn over"
    assert shown.rindex("Measurement:") > shown.rindex("\x1b[2K")


def test_no_color_leaves_a_terminal_without_colours(tmp_path: Path) -> None:
    """NO_COLOR: figures are still drawn over one another, but no code sets a colour."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        command = [sys.executable, "-m", "scorebench", "run", server.url, "--users", "2", "--run-time", "3s"]
        plain = on_terminal(["env", "NO_COLOR=1", *command], tmp_path)
        coloured = on_terminal(["env", "-u", "NO_COLOR", "TERM=xterm-256color", *command], tmp_path)
    colour = re.compile(r"\x1b\[[0-9;]*(3[0-8]|9[0-7])[0-9;]*m")
    assert colour.search(coloured)
    assert "2 s of 3 s" in plain
    assert not colour.search(plain)


def test_a_master_shows_what_its_workers_do(tmp_path: Path) -> None:
    """--processes 2 in a pipe: the plain line counts the calls of both workers."""
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["--users", "4", "--run-time", "7s", "--processes", "2"]
        done = scorebench(tmp_path, "run", server.url, *words)
    (said,) = re.findall(r"^5 s of 7 s: ([\d,]+) calls", done.err, re.MULTILINE)
    assert 0 < int(said.replace(",", "")) <= done.summary["calls"]


TALKING = '''
import logging, sys, threading, time
from locust import events
from scorebench.plugin import ScoringUser

class Caller(ScoringUser):
    """As it comes."""

@events.test_start.add_listener
def talk(**_):
    import gevent
    def say():
        for number in range(8):
            logging.getLogger("locust.mine").info("word %d", number)
            gevent.sleep(0.4)
    gevent.spawn(say)
'''


def test_what_locust_says_stays_on_the_terminal(tmp_path: Path) -> None:
    """Log lines and Locust's own table come while the figures are shown: each stands there at the end."""
    locustfile = tmp_path / "talking.py"
    locustfile.write_text(TALKING)
    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["-f", str(locustfile), "--headless", "-H", server.url, "--data", WINE]
        command = [sys.executable, "-m", "locust", *words, "-u", "2", "-r", "10", "-t", "5s"]
        said = on_terminal(command, tmp_path)
    shown = screen(said)
    assert "3 s of 5 s" in said
    assert not [line for line in shown if " s of 5 s" in line], "the figures are left on the screen"
    for number in range(8):
        assert [
            line for line in shown if re.fullmatch(rf"\[.*\] .*/INFO/locust.mine: word {number}", line)
        ], number
    tables = [line for line in shown if line.split()[:1] == ["Aggregated"]]
    # One every two seconds, one at the end, and the table of percentiles.
    assert len(tables) >= 4
    assert len(tables) == said.count("Aggregated")


def test_the_screen_of_these_tests_is_a_terminals() -> None:
    """Written over, cleared and moved up: what would be lost on a terminal is lost here."""
    assert screen("one\r\ntwo\rT\x1b[1A\r\x1b[2KONE\r\n\r\nend") == ["ONE", "Two", "end"]
