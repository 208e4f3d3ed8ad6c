"""The tables that the two old scripts printed, to the letter."""

from __future__ import annotations

import re
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import Summary, summarise
from scorebench.recordings.recording import Recording
from scorebench.report import scripts as seed
from tests.recordings import calls, evenly, recording

RESULTS = """\
Results (seconds):
  mean:    0.126
  max:     0.413
  min:     0.081
  total:   2.529
  records: 4198
  calls:   20
  std:     0.068
  rsd:     53.6%
"""

SUMMARY = """\
Summary
  Thread Mean  Max   Min   Reqs
       0 0.028 0.032 0.025    3
       1 0.027 0.036 0.016    3
  Total  0.0275 0.036 0.016    6
"""


def of(services_s: list[float], users: int = 1) -> Summary:
    """Calls of these times, dealt to the users in turn."""
    user = [number % users for number in range(len(services_s))]
    return summarise(recording(calls(evenly(len(services_s), service_s=services_s), user=user)))


def test_one_callers_block() -> None:
    """The issue's own figures: 20 calls of 0.081 to 0.413 s, 2.529 s in all, a mean of 0.12645."""
    between = (2.529 - 0.413 - 0.081) / 18  # 0.11306
    # std: sqrt((0.28655² + 0.04545² + 18 · 0.01339²) / 19) = sqrt(0.08740 / 19) = 0.0678; / 0.12645 = 53.6 %
    assert seed.results(of([0.413, 0.081, *[between] * 18]), records=4198) == RESULTS


def test_several_callers_block() -> None:
    """Two threads of three calls: means 0.028 and 0.027, and 0.0275 of all six."""
    first, second = [0.027, 0.032, 0.025], [0.036, 0.016, 0.029]
    services = [time for pair in zip(first, second, strict=True) for time in pair]
    assert seed.table(of(services, users=2)) == SUMMARY


def test_the_total_agrees_with_mean_and_calls() -> None:
    """`total` is the sum of the calls' seconds: mean times calls, to the printed digits."""
    found = of([0.1, 0.25, 0.4, 0.05])
    printed = {k: float(v) for k, v in re.findall(r"(\w+): +([\d.]+)", seed.results(found, records=4))}
    assert printed["total"] == pytest.approx(printed["mean"] * found.valid)
    assert printed["total"] == pytest.approx(0.8)


@given(st.lists(st.floats(0.0001, 5), min_size=1, max_size=40))
def test_the_total_is_the_mean_of_any_calls(services_s: list[float]) -> None:
    """For any times: the sum of the tally is its mean times its count."""
    times = of(services_s).service
    assert times.mean_s is not None
    assert times.sum_s == pytest.approx(times.mean_s * times.count)
    assert times.sum_s == pytest.approx(sum(services_s), abs=1e-5 * len(services_s))


@given(st.lists(st.floats(0.001, 5), min_size=2, max_size=40))
def test_the_standard_deviation_is_that_of_the_calls(services_s: list[float]) -> None:
    """Python's own `statistics` agrees, within the histogram's three digits of the greatest time."""
    std_s = of(services_s).service.std_s
    assert std_s == pytest.approx(statistics.stdev(services_s), abs=0.002 * max(services_s))


def test_one_call_has_no_standard_deviation() -> None:
    """It takes two: what was not measured is printed as such."""
    assert "  std:     not measured\n  rsd:     not measured\n" in seed.results(of([0.1]), records=1)


def test_what_the_old_scripts_lacked() -> None:
    """Percentiles or the calls they need, rates, wall time, and calls by outcome with the first failure."""
    made = recording(calls(evenly(100, service_s=0.01), outcome=[0] * 99 + [Outcome.MODEL_ERROR], rows=2))
    made.add_example("model error", "HTTP 500\n\x1b[31mboom")
    shown = seed.more(summarise(made))
    assert "  p50:     0.010" in shown
    assert "  p99:     needs 662 calls" in shown
    assert "  valid calls a second: 99.0" in shown
    assert "  rows a second:        198.0" in shown
    assert "  wall time in seconds: 1.000" in shown
    assert "  valid:       99" in shown
    assert "  model error: 1" in shown
    assert "model error, the first: HTTP 500 boom" in shown


def test_error_pages_are_not_figures() -> None:
    """Where nothing was valid one line names the cause, how often, and what the server said."""
    made = recording(calls(evenly(7), outcome=Outcome.REJECTED))
    made.add_example("rejected", "HTTP 400\nno such column")
    problem = seed.nothing_valid(summarise(made))
    assert problem == (
        "no call got a valid answer: 7 of 7 ended in 'rejected'; the first said: HTTP 400 no such column"
    )
    assert seed.nothing_valid(of([0.1])) is None
    assert seed.nothing_valid(summarise(Recording())) == "no call was sent"
