"""Scenarios as MLPerf's LoadGen means them, and runs that end because they are lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.figures.recent import Recent
from scorebench.load.scenario import SCENARIOS, Chosen, choose, named
from scorebench.options.table import OPTIONS
from tests.commands import Done, scorebench
from tests.recordings import calls, evenly, recording
from tests.scoring_server import Behaviour, Constant, scoring_server
from tests.scoring_server.replies import Reply


def test_what_each_scenario_makes_of_the_options() -> None:
    """One row, eight rows, Poisson, all rows; a number of rows that is given stands."""
    asked: dict[str, Any] = {"users": None, "rate": None, "arrivals": None, "rows_per_call": 1}
    assert choose("single-stream", **asked) == Chosen(None, 1)
    assert choose("multi-stream", **asked) == Chosen(None, 8)
    assert choose("multi-stream", **asked | {"rows_per_call": 3}) == Chosen(None, 3)
    assert choose("server", **asked | {"rate": 10.0}) == Chosen("poisson", 1)
    assert choose("offline", **asked) == Chosen(None, None)
    assert set(SCENARIOS) == {"single-stream", "multi-stream", "server", "offline"}


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("fast", {}, "expected one of single-stream"),
        ("single-stream", {"users": 5}, "found 5"),
        ("multi-stream", {"rate": 9.0}, "there is no --rate"),
        ("offline", {"arrivals": "poisson"}, "there is no --arrivals"),
        ("server", {}, "needs a rate"),
        ("server", {"rate": 9.0, "arrivals": "constant"}, "found --arrivals constant"),
        ("single-stream", {"rows_per_call": 4}, "Use --scenario multi-stream"),
    ],
)
def test_contradictions_are_refused(name: str, asked: dict[str, Any], said: str) -> None:
    """A line that names the scenario, what was found, and what to do."""
    known: dict[str, Any] = {"users": None, "rate": None, "arrivals": None, "rows_per_call": 1}
    with pytest.raises(InputError, match=said):
        choose(name, **known | asked)


def test_the_form_names_the_choice_of_no_scenario() -> None:
    """Locust's list shows its first entry until another is chosen: an empty one looks like a broken field."""
    (option,) = (one for one in OPTIONS if one.name == "scenario")
    assert option.choices == ("none", *SCENARIOS)
    assert [named("--scenario", name) for name in ("none", None, "server")] == [None, None, "server"]


def ran(folder: Path, *words: str) -> tuple[Done, list[int]]:
    """A finished run and the rows of each call that the server saw."""
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        done = scorebench(folder, "run", server.url, *words)
        return done, [record.rows or 0 for record in server.log()]


def test_single_stream_sends_a_row_at_a_time(tmp_path: Path) -> None:
    """One user, one row."""
    done, rows = ran(tmp_path, "--scenario", "single-stream", "--calls", "20")
    assert (done.code, rows) == (0, [1] * 20)
    assert len(done.summary["users"]) == 1


def test_offline_sends_all_rows_in_a_call(tmp_path: Path) -> None:
    """500 rows a call, counted as rows a second."""
    done, rows = ran(tmp_path, "--scenario", "offline", "--calls", "3", "--rows", "500")
    assert (done.code, rows) == (0, [500] * 3)
    assert done.summary["rows"] == 1500
    assert done.summary["environment"]["payload"]["rows_per_call"] == 500


def test_server_arrivals_are_poisson(tmp_path: Path) -> None:
    """--scenario server --rate 50: an open loop with the rate's schedule."""
    done, rows = ran(tmp_path, "--scenario", "server", "--rate", "50", "--run-time", "2s")
    assert done.ends_with(0)
    assert 60 < len(rows) < 145  # 100 expected, standard deviation 10
    assert done.summary["environment"]["arrivals"] == "poisson"


def test_recent_figures_are_those_of_the_last_seconds() -> None:
    """Fast calls long ago do not hide slow ones now."""
    fast = recording(calls(evenly(1000, service_s=0.01)))
    recent = Recent(window_s=4.0)
    recent.see(0.0, fast)
    recent.see(1.0, fast)
    slow = evenly(100, service_s=1.0)
    fast.add(calls([(due + 20, sent + 20, done + 20) for due, sent, done in slow], outcome=Outcome.VALID))
    assert recent.figure("p50") is None, "before the window is full"
    recent.see(4.0, fast)
    assert recent.figure("p50") == pytest.approx(1.0, rel=0.01)
    assert recent.figure("mean") == pytest.approx(1.0, rel=0.01)
    assert recent.figure("throughput") == pytest.approx(100 / 4)
    assert recent.figure("valid") == 1.0
    recent.see(8.0, fast)
    assert recent.figure("p50") is None, "nothing ended in the last four seconds"
    assert recent.figure("throughput") == 0


@pytest.mark.parametrize(("metric", "value"), [("p99", 5.0), ("max", 5.0), ("mean", 5.0), ("min", 5.0)])
@pytest.mark.parametrize("prefix", ["", "service_"])
def test_calls_in_flight_count_for_the_last_seconds(prefix: str, metric: str, value: float) -> None:
    """In the five seconds since the server froze no call has ended, and ten have waited."""
    frozen, recent = recording(calls(evenly(1000, service_s=0.01))), Recent(window_s=4.0)
    recent.see(0.0, frozen)
    recent.see(4.0, frozen, {5: 10})
    assert recent.figure(prefix + metric) == value
    assert recent.figure(f"lag_{metric}") is None, "how late the generator was is known when a call is sent"


@pytest.mark.parametrize(("prefix", "value"), [("", 3.0), ("service_", 2.0)])
def test_calls_that_timed_out_count_for_the_last_seconds(prefix: str, value: float) -> None:
    """All calls of the window waited 1 s for a user, and 2 s for an answer until --timeout ended them."""
    made, recent = recording(calls(evenly(1000, service_s=0.01))), Recent(window_s=4.0)
    recent.see(0.0, made)
    made.add(calls([(20, 21, 23)] * 9, outcome=Outcome.CLIENT_TIMEOUT, waited=False))
    recent.see(4.0, made)
    for metric in ("p99", "max", "mean", "min"):
        assert recent.figure(prefix + metric) == pytest.approx(value, rel=0.001)


def test_a_few_calls_in_flight_make_nothing_faster() -> None:
    """Ten calls of 3 s in the window, and ten that were sent just now: the median is 3 s, and not 0."""
    slow, recent = recording(calls(evenly(1))), Recent(window_s=4.0)
    recent.see(0.0, slow)
    slow.add(calls([(due + 20, sent + 20, done + 20) for due, sent, done in evenly(10, service_s=3.0)]))
    recent.see(4.0, slow, {0: 10})
    assert recent.figure("p50") == pytest.approx(3.0, rel=0.01)
    assert recent.figure("mean") == pytest.approx(3.0, rel=0.01)


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "distributed"])
def test_a_server_that_freezes_ends_the_run(tmp_path: Path, processes: list[str]) -> None:
    """All answers but the first four take a minute: no call ends any more, and the run is lost."""
    script = {call: Reply(service_s=0.005 if call < 4 else 60.0) for call in range(20)}
    with scoring_server(Behaviour(script=script)) as server:
        words = ["--users", "4", "--run-time", "50s", "--drain", "1", "--stop-when", "p99>1s for 1s"]
        done = scorebench(tmp_path, "run", server.url, *words, *processes)
    assert done.summary["verdict"]["lost"], done.err
    assert done.summary["wall_time_s"] < 30
    assert done.summary["accounting"]["valid"] == 4
    assert done.code in (1, 3)  # overdue calls have failed


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "distributed"])
def test_a_lost_run_is_ended(tmp_path: Path, processes: list[str]) -> None:
    """p50 above 20 ms for 2 s, at 50 ms a call: ended long before its minute, exit 3, report written."""
    with scoring_server(Behaviour(service=Constant(0.05))) as server:
        words = ["--users", "2", "--run-time", "60s", "--stop-when", "p50>20ms for 2s", *processes]
        done = scorebench(tmp_path, "run", server.url, *words)
        sent = len(server.log())
    assert done.ends_with(3), done.err
    assert done.summary["wall_time_s"] < 30
    (event,) = done.summary["events"]
    assert (event["what"], event["why"]) == ("stopped early", "p50>20ms for 2s")
    assert done.summary["verdict"]["lost"]
    assert done.summary["calls"] == sent
    assert "lost" in done.out


def test_a_run_that_is_not_lost_goes_on(tmp_path: Path) -> None:
    """The condition never holds: the run ends with its calls."""
    words = ["--users", "1", "--run-time", "7s", "--stop-when", "p50>2s for 1s"]
    done, _ = ran(tmp_path, *words)
    assert done.ends_with(0)
    assert json.loads((done.folders[0] / "summary.json").read_text())["events"] == []
