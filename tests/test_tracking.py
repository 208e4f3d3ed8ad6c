"""What is handed to MLflow: only what it takes, and only what was measured."""

from __future__ import annotations

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.runs.tracking import (
    MOST_PARAMS,
    PARAM_CHARACTERS,
    batches,
    metrics,
    model_of,
    named,
    params,
    per_second,
    status,
    told_in_tags,
)
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests import requirements
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
    assert "service_time_s/p99" not in found
    assert found["service_time_s/p50"] == pytest.approx(0.01, rel=0.01)
    assert all(math.isfinite(value) for value in found.values())


def test_seconds_are_steps() -> None:
    """1,000 calls at 100/s: steps 0 to 10, 100 due in each whole second."""
    found = [
        (step, value)
        for name, value, step in per_second(recording(calls(evenly(1000))))
        if name == "second/due"
    ]
    assert found[:10] == [(step, 100.0) for step in range(10)]


def test_names_and_parameters_are_what_mlflow_takes() -> None:
    """Signs of its own, lengths, and how many."""
    assert named("outcomes.a|b\n<c>") == "outcomes.a_b__c_"
    assert len(named("x" * 999)) == 250
    assert [named(text) for text in ("", ".", "../x", "/x", "a//b", "a/")] == [
        "_",
        "_",
        "___x",
        "_x",
        "a__b",
        "a_",
    ]
    same = recording(calls(evenly(5)), **{"a|b": 1, "a<b": 2})
    assert [name for name, _ in params(summarise(same))].count("a_b") == 1
    of = recording(calls(evenly(5), outcome=Outcome.VALID), **{f"k{n}": "v" * 9999 for n in range(300)})
    found = params(summarise(of))
    assert len(found) == MOST_PARAMS
    assert max(len(value) for _, value in found) == PARAM_CHARACTERS


def test_the_description_is_the_report_where_it_is_short_enough() -> None:
    """8,000 characters are what MLflow takes; a longer report stays an artifact alone."""
    of = recording(calls(evenly(5), outcome=Outcome.REJECTED))
    of.examples = {"rejected": "x" * 100}
    summary = summarise(of)
    tags = told_in_tags(summary, judge(summary, of))
    assert (tags["scorebench.met"], "x" * 100 in tags["mlflow.note.content"]) == ("None", True)
    of.examples = {"rejected": "x" * 9000}
    summary = summarise(of)
    assert "mlflow.note.content" not in told_in_tags(summary, judge(summary, of))


@pytest.mark.parametrize(("limit", "expected"), [("p50<20ms", "FINISHED"), ("p50<1ms", "FAILED")])
def test_a_missed_limit_is_a_failed_run_in_mlflow(limit: str, expected: str) -> None:
    """Calls of 10 ms keep 20 ms and miss 1 ms; MLflow's RunStatus has FINISHED and FAILED."""
    of = recording(calls(evenly(1000)))
    summary = summarise(of)
    assert status(judge(summary, of, [parse_limit(limit)])) == expected


def test_a_measurement_that_is_not_valid_is_a_failed_run_in_mlflow() -> None:
    """Nothing was measured, so the exit code is not 0."""
    assert status(judge(summarise(Recording()), Recording())) == "FAILED"


@given(st.integers(0, 5000), st.integers(1, 1000))
def test_batches_hold_everything_once(figures: int, first: int) -> None:
    """In order, none larger than MLflow takes, the first no larger than it may be, and always a first."""
    found = batches(range(figures), first=first)
    assert [number for batch in found for number in batch] == list(range(figures))
    assert len(found[0]) <= first
    assert all(0 < len(batch) <= 1000 for batch in found[1:])


def test_the_model_is_known_by_its_uri_or_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """models:/m-…, or the MLmodel's model_id; else nothing."""
    (tmp_path / "MLmodel").write_text("model_id: m-0123abcd\n")
    assert model_of({"server": {"model": "models:/m-0a1b"}}) == "m-0a1b"
    assert model_of({"server": {"model": str(tmp_path)}}) == "m-0123abcd"
    (tmp_path / "MLmodel").write_text("model_id: ../../etc\n")
    assert model_of({"server": {"model": str(tmp_path)}}) is None
    assert model_of({}) is None
    (tmp_path / "MLmodel").write_text("model_id: m-77\n")
    assert model_of({"server": {"model": None}, "model": str(tmp_path)}) == "m-77"
    monkeypatch.chdir(tmp_path)
    assert model_of({}) is None  # and not the one that happens to lie here


def test_a_tracking_server_that_is_not_there_is_told_first(tmp_path: Path) -> None:
    """One line, exit 2, nothing sent."""
    requirements.module("mlflow")
    with scoring_server() as server:
        done = scorebench(
            tmp_path, "run", server.url, "--mlflow-experiment", "e", "--calls", "3",
            MLFLOW_TRACKING_URI="http://me:hunter2@127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        )  # fmt: skip
        assert not server.log()
    assert done.code == 2
    assert "--mlflow-experiment e: the tracking server does not answer" in done.err
    assert "hunter2" not in done.err
    assert not done.reports.exists()


class FailingTracker(BaseHTTPRequestHandler):
    """Knows no experiment, and makes none: asked first it looks well, and fails when it is needed."""

    def do_GET(self) -> None:
        self._answer(404, "RESOURCE_DOES_NOT_EXIST")

    def do_POST(self) -> None:
        self._answer(400, "INTERNAL_ERROR")

    def log_message(self, format: str, *args: object) -> None: ...

    def _answer(self, status: int, code: str) -> None:
        body = json.dumps({"error_code": code, "message": "the disk is full"}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_tracking_server_that_fails_later_costs_nothing(tmp_path: Path) -> None:
    """The run is measured, kept and judged as ever; one line says that it was not logged, and why."""
    requirements.module("mlflow")
    with ThreadingHTTPServer(("127.0.0.1", 0), FailingTracker) as tracker, scoring_server() as server:
        threading.Thread(target=tracker.serve_forever, daemon=True).start()
        done = scorebench(
            tmp_path, "run", server.url, "--mlflow-experiment", "e", "--calls", "30", "--quiet",
            MLFLOW_TRACKING_URI=f"http://me:hunter2@127.0.0.1:{tracker.server_port}",
        )  # fmt: skip
        tracker.shutdown()
    assert done.ends_with(0), done.err
    assert done.summary["valid"] == 30
    (line,) = [line for line in done.err.splitlines() if "mlflow-experiment" in line]
    assert "not logged" in line
    assert "the disk is full" in line
    assert "hunter2" not in done.out + done.err
    assert str(done.folders[0].relative_to(tmp_path)) in line
