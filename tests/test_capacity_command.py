"""`scorebench capacity`, as a user starts it, against a server of known speed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.capacity.found import Stopped
from scorebench.capacity.search import search
from scorebench.capacity.trial import Measured, Plan, Step
from scorebench.commands.capacity import exit_code
from scorebench.figures.summary import summarise
from scorebench.folders import folder
from scorebench.folders.finished import Finished, finished
from scorebench.runs.launch import Launch
from scorebench.runs.steps import Steps, measured_of
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.commands import Done, here, scorebench
from tests.measuring import cliff
from tests.recordings import calls, evenly, recording
from tests.schemas import validator
from tests.scoring_server import Behaviour, Constant, scoring_server


def found(done: Done) -> dict[str, object]:
    """capacity.json of the only search that was left, held to its schema."""
    (path,) = (p for p in done.reports.glob("*/capacity.json") if not p.parent.is_symlink())
    parsed: dict[str, object] = json.loads(path.read_text())
    validator("capacity").validate(parsed)
    assert (path.parent / "capacity.txt").read_text() in done.out
    return parsed


def searched(folder: Path, budget: str) -> tuple[Done, int]:
    """A search at a server of 20 ms a call, one at a time, and how many calls that server got."""
    folder.mkdir()
    with scoring_server(Behaviour(service=Constant(0.02), at_once=1)) as server:
        words = ("--limit", "p90<200ms", "--budget", budget, "--for", "500")
        return scorebench(folder, "capacity", server.url, *words), len(server.log())


@pytest.mark.timeout(300)
def test_a_search_ends_with_a_rate_below_what_the_server_can(tmp_path: Path) -> None:
    """20 ms a call, one at a time: at most 50/s can be served, and more is never recommended.

    Where steps take long to start, such as on a busy machine, a budget finds none: then it gets more.
    """
    for budget in ("28s", "42s", "60s"):
        done, sent = searched(tmp_path / budget, budget)
        data = found(done)
        held = data["held"]
        assert held is None or isinstance(held, dict)
        assert held is None or held["rate_per_s"] <= 50
        (top,) = (p.parent for p in done.reports.glob("*/capacity.json") if not p.parent.is_symlink())
        # At 120/s three workers of 50/s have queues with a p50 of ln(0.8 / 0.5) / 10 = 47 ms; a call: 20 ms.
        planned = here(tmp_path, "plan", str(top), "--for", "120/s", "--limit", "p50<100ms")
        if (done.code, planned.code) == (0, 0):
            break
    assert done.code == 0, done.err
    assert isinstance(held, dict)
    assert held["rate_per_s"] > 5
    assert "holds" in done.out.lower()
    assert "for 500/s" in done.out.lower()
    steps = data["steps"]
    assert isinstance(steps, list)
    assert {step["rate_per_s"] is None for step in steps} == {True, False}
    recordings = [folder.read(path) for path in sorted((top / "steps").iterdir())]
    assert sent == sum(r.measured.calls + r.warm_up.calls for r in recordings)
    for page in (top / "report.html", top / "steps" / "00" / "report.html"):
        assert "p90 by offered rate" in page.read_text()  # a step shows the search that it was part of
    assert planned.code == 0, planned.err
    assert planned.out.startswith(("3 workers for 120/s", "4 workers for 120/s")), planned.out
    too_short = here(tmp_path, "plan", str(top), "--for", "120/s", "--limit", "p99<100ms")
    assert (too_short.code, len(too_short.err.splitlines())) == (2, 1)
    assert "enough calls for a p99" in too_short.err
    again = here(tmp_path, "report", str(top / "steps" / "00"), "--format", "html")
    assert again.out == (top / "steps" / "00" / "report.html").read_text()


def test_a_server_too_slow_for_its_limit_is_told(tmp_path: Path) -> None:
    """50 ms a call can't keep p50<10ms at any rate: exit 3, and nothing is recommended."""
    with scoring_server(Behaviour(service=Constant(0.05), at_once=1)) as server:
        done = scorebench(tmp_path, "capacity", server.url, "--limit", "p50<10ms", "--budget", "22s")
    assert found(done)["held"] is None
    assert done.code in (3, 4), done.out
    assert "no rate" in done.out.lower() or "even the lowest rate" in done.out.lower()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "1s"], "--budget 1s: a search needs at least 20s, better 5m"),
        (["--for", "inf"], "--for inf: expected calls a second"),
        (["--for", "-1"], "--for -1: expected calls a second"),
        (["--limit", "p99<50"], "bound 50 has no unit"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_sent(tmp_path: Path, words: list[str], said: str) -> None:
    """One line, exit 2, no folder."""
    with scoring_server() as server:
        done = scorebench(tmp_path, "capacity", server.url, *words)
        assert not server.log()
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
    assert not done.reports.exists()


def test_no_server_is_told_once(tmp_path: Path) -> None:
    """Nobody listens: exit 2, and no folder is left."""
    done = scorebench(tmp_path, "capacity", "http://127.0.0.1:9", "--budget", "30s")
    assert done.code == 2
    assert "127.0.0.1:9" in done.err
    assert not list(done.reports.glob("*")) if done.reports.exists() else True


def test_answers_to_the_warm_up_count_when_they_come(tmp_path: Path) -> None:
    """Half a second a call: as many answers come as calls are sent, once the queue is full."""
    with scoring_server(Behaviour(service=Constant(0.5))) as server:
        words = ["--users", "40", "--rate", "40", "--run-time", "7s", "--warm-up", "1s"]
        done = scorebench(tmp_path, "run", server.url, *words)
    (path,) = done.folders
    plan = Plan(0, 6.0, 40, 40.0, "")
    measured = measured_of(finished(path), plan, (parse_limit("p50<1s"),), 8.0)
    assert measured.achieved_per_s == pytest.approx(40, rel=0.03)
    assert measured.throughput_per_s == pytest.approx(40, rel=0.03)


def test_a_step_fails_by_the_calls_that_timed_out() -> None:
    """3 % of the calls wait 2 s in vain, which `valid>90%` allows; a p99 of 1 s it does not keep."""
    services, outcomes = [0.01] * 970 + [2.0] * 30, [0] * 970 + [Outcome.CLIENT_TIMEOUT] * 30
    made = recording(calls(evenly(1_000, service_s=services), outcome=outcomes))
    limits = parse_limit("p99<1s"), parse_limit("valid>90%"), parse_limit("p50<1s")
    summary = summarise(made)
    done = Finished(Path(), made, summary, judge(summary, made, limits))
    step = Step(Plan(0, 10.0, 4, 100.0, ""), measured_of(done, Plan(0, 10.0, 4, 100.0, ""), limits, 10.0))
    assert (step.held, step.broke) == (False, ("p99",))
    assert step.margin == pytest.approx(-0.5, abs=0.01)  # 1 s / 2 s - 1


def left_running(marker: str) -> list[str]:
    """Processes that still have `marker` in their command line."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if marker in " ".join(process.cmdline()):
                found.append(str(process))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_search_with_what_is_known(tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of a step: the steps until then are told and kept, exit 130, nothing runs on."""
    with scoring_server(Behaviour(service=Constant(0.02), at_once=1)) as server:
        command = [sys.executable, "-m", "scorebench", "capacity", server.url, "--limit", "p90<200ms"]
        process = subprocess.Popen(
            [*command, "--budget", "60s"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        said = ""
        while "step 1:" not in said:
            said += process.stderr.readline()
        calls = len(server.log())
        server.wait_for_calls(calls + 20, timeout_s=30)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert not left_running(server.url)
    data = found(Done(process.returncode, out, err, tmp_path / "reports"))
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "the search was stopped early" in out.lower()
    steps = data["steps"]
    assert isinstance(steps, list)
    assert len(steps) == 1
    (path,) = (p for p in (tmp_path / "reports").glob("*") if not p.is_symlink())
    assert {one.name for one in path.iterdir()} >= {"capacity.txt", "capacity.json", "report.html"}


def test_a_signal_between_two_steps_ends_the_search_too(tmp_path: Path) -> None:
    """It is remembered, and the next step is not begun."""
    steps = Steps(Launch("http://127.0.0.1:1", tmp_path), (), 1)
    with steps.stopped_by_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            steps.measure(Plan(0, 5.0, 1, None, ""))
    assert not list(tmp_path.iterdir())


def test_stopped_is_not_done_even_where_a_rate_held() -> None:
    """A script that goes on after 0 must not take half a search for a whole one."""
    limit = parse_limit("p99<100ms")
    measure = cliff(150, [limit], 1)

    def stops(plan: Plan) -> Measured:
        if plan.number == 12:
            raise Stopped
        return measure(plan)

    half = search(stops, [limit])
    assert (half.held is not None, exit_code(half)) == (True, 130)
