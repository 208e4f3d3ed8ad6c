"""What goes to services that keep figures over time, by their own published forms.

Bencher Metric Format: benchmark → measure → value, lower_value, upper_value. github-action-benchmark: a list
with `name`, `unit` and `value` required, `range` and `extra` texts.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorebench.errors import InputError
from scorebench.figures.summary import Summary, summarise
from scorebench.report import TRACKERS, trackers
from scorebench.verdicts.verdict import Verdict, judge
from tests.commands import here
from tests.recordings import calls, evenly, recording
from tests.test_compare import left


def judged(count: int = 1000) -> tuple[Summary, Verdict]:
    """Calls of 10 ms each, 100 a second."""
    made = recording(
        calls(evenly(count, service_s=0.010)),
        users=2,
        server={"kind": "webserver"},
        payload={"format": "split"},
    )
    summary = summarise(made)
    return summary, judge(summary, made)


def test_bencher_gets_a_measure_a_metric() -> None:
    """p99 of calls of 10 ms is 10 ms, to the histogram's 0.1 %, and lies between its bounds."""
    read = json.loads(trackers.bencher(*judged()))
    ((name, measures),) = read.items()
    assert name == "scorebench webserver, split, 2 users"
    assert measures["p99"]["value"] == pytest.approx(0.010, rel=2e-3)
    assert measures["p99"]["lower_value"] <= measures["p99"]["value"] <= measures["p99"]["upper_value"]
    assert measures["valid"]["value"] == 1.0
    assert {key for one in measures.values() for key in one} <= {"value", "lower_value", "upper_value"}
    assert "p99.9" not in measures  # a thousand calls do not support it


def test_times_and_rates_go_to_tools_of_their_own() -> None:
    """Each metric in one of the two lists: what should fall, and what should rise."""
    falling = json.loads(trackers.smaller_is_better(*judged()))
    rising = json.loads(trackers.bigger_is_better(*judged()))
    names = [{one["name"].rpartition(": ")[2] for one in found} for found in (falling, rising)]
    assert {"p50", "p99", "mean"} <= names[0]
    assert {"throughput", "rows", "valid"} <= names[1]
    assert not names[0] & names[1]
    for one in falling + rising:
        assert {"name", "unit", "value"} <= one.keys() <= {"name", "unit", "value", "range", "extra"}
        assert isinstance(one["value"], float)
        assert one["unit"]


@pytest.mark.parametrize("name", TRACKERS)
def test_a_run_that_is_not_valid_is_refused(name: str) -> None:
    """Ten calls without a valid answer: none of their figures may enter a history."""
    made = recording(calls(evenly(10), outcome=1))
    summary = summarise(made)
    verdict = judge(summary, made)
    assert not verdict.valid
    with pytest.raises(InputError, match=f"--format {name}: the measurement is not valid"):
        TRACKERS[name](made, summary, verdict)


def test_the_command_knows_them(tmp_path: Path) -> None:
    left(tmp_path / "run", 0.010)
    for name in TRACKERS:
        done = here(tmp_path, "report", "run", "--format", name)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)
