"""What is handed to MLflow: only what it takes, and only what was measured."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from scorebench.outcome import Outcome
from scorebench.recording import Recording
from scorebench.summary import summarise
from scorebench.tracking import MOST_PARAMS, PARAM_CHARACTERS, metrics, model_of, named, params, per_second
from scorebench.verdict import judge
from tests.commands import scorebench
from tests.recordings import calls, evenly, recording
from tests.scoring_server import scoring_server


def test_what_was_not_measured_is_not_logged() -> None:
    """Of an empty run counts alone; of 100 calls no p99."""
    empty = summarise(Recording())
    names = {name for name, _, _ in metrics(empty, judge(empty, Recording()))}
    assert names == {"calls", "valid", "exit_code"}
    of = recording(calls(evenly(100)))
    summary = summarise(of)
    found = {name: value for name, value, _ in metrics(summary, judge(summary, of))}
    assert "service_time_s.p99" not in found
    assert found["service_time_s.p50"] == pytest.approx(0.01, rel=0.01)
    assert all(math.isfinite(value) for value in found.values())


def test_seconds_are_steps() -> None:
    """1,000 calls at 100/s: steps 0 to 10, 100 due in each whole second."""
    found = [
        (step, value)
        for name, value, step in per_second(recording(calls(evenly(1000))))
        if name == "second.due"
    ]
    assert found[:10] == [(step, 100.0) for step in range(10)]


def test_names_and_parameters_are_what_mlflow_takes() -> None:
    """Signs of its own, lengths, and how many."""
    assert named("outcomes.a|b\n<c>") == "outcomes.a_b__c_"
    assert len(named("x" * 999)) == 250
    of = recording(calls(evenly(5), outcome=Outcome.VALID), **{f"k{n}": "v" * 9999 for n in range(300)})
    found = params(summarise(of))
    assert len(found) == MOST_PARAMS
    assert max(len(value) for _, value in found) == PARAM_CHARACTERS


def test_the_model_is_known_by_its_uri_or_its_file(tmp_path: Path) -> None:
    """models:/m-…, or the MLmodel's model_id; else nothing."""
    (tmp_path / "MLmodel").write_text("model_id: m-0123abcd\n")
    assert model_of({"server": {"model": "models:/m-0a1b"}}) == "m-0a1b"
    assert model_of({"server": {"model": str(tmp_path)}}) == "m-0123abcd"
    assert model_of({"server": {"model": "models:/name/1"}}) is None
    (tmp_path / "MLmodel").write_text("model_id: ../../etc\n")
    assert model_of({"server": {"model": str(tmp_path)}}) is None
    assert model_of({}) is None


def test_a_tracking_server_that_is_not_there_is_told_first(tmp_path: Path) -> None:
    """One line, exit 2, nothing sent."""
    pytest.importorskip("mlflow")
    with scoring_server() as server:
        done = scorebench(
            tmp_path, "run", server.url, "--mlflow-experiment", "e", "--calls", "3",
            MLFLOW_TRACKING_URI="http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        )  # fmt: skip
        assert not server.log()
    assert done.code == 2
    assert "--mlflow-experiment e: the tracking server can't be asked" in done.err
    assert not done.reports.exists()
