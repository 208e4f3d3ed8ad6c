"""The last minutes of a run that grows, and the charts that the tab draws of them."""

from __future__ import annotations

from scorebench.figures.last_minutes import SPANS_S, LastMinutes
from scorebench.recordings.recording import Recording
from scorebench.report.live_charts import live_charts
from tests import recordings
from tests.recordings import calls, evenly, recording

START_S = int(recordings.START_S)


def test_rates_by_second_and_times_by_stretch() -> None:
    """100 calls/s of 15 ms for 20 s: 100 sent and valid in each whole second, p99 of 500 calls not shown."""
    last = LastMinutes()
    last.see(recording(calls(evenly(2000, service_s=0.015))), START_S + 20)
    assert {(one.sent, one.valid) for one in last.rates[1:]} == {(100, 100)}
    assert [one.t_s - START_S for one in last.rates] == list(range(1, 20))
    whole = last.times[1:]
    assert len(whole) == 3
    assert all(abs((one.p50_s or 0) - 0.015) < 0.001 for one in whole)
    assert all(one.p99_s is None for one in whole)  # it needs 662 calls


def test_what_is_over_is_not_computed_again_and_what_is_long_over_is_forgotten() -> None:
    """Of ten minutes the last five are kept, seconds that are settled as they were first seen."""
    last = LastMinutes()
    made = recording(calls(evenly(6000, rate_per_s=10)))
    for second in range(1, 600):
        last.see(made, START_S + second)
    assert len(last.rates) == SPANS_S[-1]
    assert last.rates[-1].t_s == START_S + 598
    kept = last.rates[0]
    last.see(made, START_S + 599)
    assert last.rates[0] is kept


def test_a_run_that_ended_is_seen_to_its_last_whole_second() -> None:
    """Also where nobody looked while it ran: of 20.01 s the seconds 1 to 19."""
    last = LastMinutes()
    last.see_all(recording(calls(evenly(2000, service_s=0.015))))
    assert [one.t_s - START_S for one in last.rates] == list(range(1, 20))
    last.see_all(Recording())
    assert last.rates == []


def test_another_run_begins_anew() -> None:
    """And so does one that was reset."""
    last = LastMinutes()
    last.see(recording(calls(evenly(2000))), START_S + 20)
    last.see(Recording(), START_S + 21)
    assert last.rates == []
    assert live_charts(last, open_loop=False) == []


def test_a_chart_has_places_and_texts() -> None:
    """Now is at the right; 100/s of an axis to 100/s at the top; a closed loop has one line of rates."""
    last = LastMinutes()
    last.see(recording(calls(evenly(2000, service_s=0.015))), START_S + 20)
    rates, times = live_charts(last, open_loop=False)
    assert [one["name"] for one in rates["lines"]] == ["valid answers"]
    assert [one["name"] for one in live_charts(last, open_loop=True)[0]["lines"]] == ["sent", "valid answers"]
    assert rates["lines"][0]["value"] == "100/s"
    assert rates["lines"][0]["points"][-1] == [round(59.5 / 60, 4), 0.0]
    assert rates["x"] == [
        [0.0, "1 min ago"],
        [0.25, "45 s ago"],
        [0.5, "30 s ago"],
        [0.75, "15 s ago"],
        [1.0, "now"],
    ]
    assert {one["name"]: one["value"] for one in times["lines"]}["p99"] == "too few calls"
    assert set(next(one["points"] for one in times["lines"] if one["name"] == "p99")[1:]) == {None}
    assert live_charts(last, open_loop=False, ended=True)[0]["x"][-1] == [1.0, "the end"]
