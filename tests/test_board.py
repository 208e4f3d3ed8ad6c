"""What the tab is told, from recordings whose every number is known."""

from __future__ import annotations

import json
from typing import Any

from scorebench.answers.outcome import Outcome
from scorebench.figures.live import look
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.report.board import board
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.recordings import START_S, calls, evenly, recording


def over(made: Recording, *limits: str) -> dict[str, Any]:
    summary = summarise(made)
    return carried(board(summary, judge(summary, made, [parse_limit(text) for text in limits]), None))


def going_on(made: Recording, *limits: str, at_s: float, of_s: float, **told: Any) -> dict[str, Any]:
    summary = summarise(made, bounds=False)
    verdict = judge(summary, made, [parse_limit(text) for text in limits], so_far=True)
    live = look(made, now_s=START_S + at_s, started_s=START_S, of_s=of_s, **told)
    return carried(board(summary, verdict, live))


def carried(shown: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(shown, allow_nan=False))
    return found


def words(shown: dict[str, Any]) -> dict[str, str]:
    return {line["text"]: line["word"] for line in shown["verdicts"]}


def figures(shown: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["value"], one["note"]) for one in shown["figures"]}


def tables(shown: dict[str, Any]) -> dict[str, Any]:
    return {one["title"].split()[0]: one for one in shown["tables"]}


def test_a_run_that_is_over() -> None:
    """800 calls at 100/s of 15 ms: 800 valid in 8 s, p99 15 ms with bounds, a limit of 20 ms met."""
    shown = over(recording(calls(evenly(800, service_s=0.015))), "p99<20ms")
    assert (shown["running"], shown["progress"], shown["share_done"]) == (False, "800 calls in 8.01 s", None)
    assert words(shown)["Measurement"] == "valid"
    assert words(shown)["Limits: 1 of 1 met"] == "met"
    assert figures(shown)["valid"] == ("100 %", "800 of 800 calls")
    assert figures(shown)["p99"][0] == "15 ms"
    assert tables(shown)["Times"]["head"] == ["", "time", "99 % sure"]
    assert tables(shown)["Users"]["rows"] == [["0", "15.00", "15.00", "15.00", "800", "800"]]
    assert shown["account"][0].startswith("800 calls due = 800 valid")


def test_a_run_that_goes_on_says_so_far() -> None:
    """5 of 10 s: half done, verdicts so far, no bounds, a percentile without support says what it needs."""
    shown = going_on(recording(calls(evenly(500, service_s=0.015))), "p95<20ms", "p99<20ms", at_s=5, of_s=10)
    assert (shown["running"], shown["progress"]) == (True, "5 s of 10 s: 500 calls")
    assert shown["share_done"] == 0.5
    assert words(shown)["Measurement"] == "valid so far"
    assert words(shown)["Limits: 1 of 2 met"] == "not decided"
    assert figures(shown)["valid answers"][1] == "now 100/s"
    assert figures(shown)["p99"] == ("not shown", "needs 662 calls")
    times = {row[0]: row[1:] for row in tables(shown)["Times"]["rows"]}
    assert (times["p95"], times["p99"]) == (["15.00"], ["needs 662 calls"])


def test_an_open_loop_shows_what_was_offered_and_the_generators_lag() -> None:
    """Sent 2 ms late each at 100/s: lag p99 2 ms; offered is what the arrivals ask for now."""
    made = recording(calls(evenly(800, lag_s=0.002)), arrivals="constant", offered_rate_per_s=100.0)
    shown = figures(going_on(made, at_s=8, of_s=16, offered_per_s=120.0))
    assert shown["sent"][1] == "offered now 120/s"
    assert shown["generator lag p99"] == ("2 ms", "p50 2 ms")
    assert figures(over(made))["sent"][1] == "offered 100/s, constant"
    assert "generator lag p99" not in figures(over(recording(calls(evenly(800)))))


def test_before_the_first_call_nothing_is_judged() -> None:
    """No call yet: no verdict, no table, no figure made up."""
    shown = going_on(Recording(), "p99<20ms", at_s=0.5, of_s=8)
    assert shown["verdicts"] == []
    assert shown["tables"] == []
    assert figures(shown)["valid answers"] == ("not measured", "no rate yet")


def test_what_a_server_said_is_one_line_without_control_characters() -> None:
    """An answer that would move a cursor or hide: letters alone, cut; markup stays text."""
    made = recording(calls(evenly(100), outcome=[Outcome.MODEL_ERROR] + [Outcome.VALID] * 99))
    made.add_example("model error", "500 \x1b[2J<script>\n\u202ealert" + "x" * 500)
    shown = over(made)
    (row,) = (row for row in tables(shown)["Calls"]["rows"] if row[0] == "model error")
    assert row[1:3] == ["1", "1 %"]
    assert row[3].startswith("500 <script> alert")
    assert len(row[3]) == 300
    assert words(shown)["1 call without a valid answer; 0 allowed"] == "failed"


def test_nothing_is_good_where_the_measurement_is_not_valid() -> None:
    """A generator that was half a second late: the limit is told as kept, and not in green."""
    shown = over(recording(calls(evenly(1_000, lag_s=0.5)), arrivals="constant"), "p99<5s")
    assert words(shown)["Limits: 1 of 1 met"] == "met"
    assert "good" not in {line["tone"] for line in shown["verdicts"]}


def test_of_many_users_the_first_are_shown_and_the_others_counted() -> None:
    """250 users: 200 rows, and a word on the other 50."""
    made = recording(calls(evenly(250), user=list(range(250))))
    users = tables(over(made))["Users"]
    assert len(users["rows"]) == 200
    assert users["note"].startswith("and 50 more")
