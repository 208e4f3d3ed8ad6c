"""A run in a real MLflow tracking server on SQLite, and its slowest calls in MLflow's tracing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests import requirements
from tests.commands import scorebench
from tests.scoring_server import Behaviour, Constant, scoring_server

from scorebench.servers import ports, ready

AGENT = """
import sys
import time

import mlflow
import uvicorn
from mlflow.genai.agent_server import AgentServer, invoke
from mlflow.tracing import set_tracing_context_from_http_request_headers


class Traced:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        if "traceparent" not in headers:
            return await self.app(scope, receive, send)
        with set_tracing_context_from_http_request_headers(headers):
            await self.app(scope, receive, send)


calls = []


@invoke()
def answer(request):
    calls.append(request)
    with mlflow.start_span("look it up"):
        time.sleep(3 if len(calls) == 7 else 0.01)
    return {"n": len(calls)}


mlflow.set_experiment("agents")
uvicorn.run(Traced(AgentServer().app), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
CALLS = 12
WAIT_S = 60


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `mlflow server`, which ends with these tests."""
    requirements.module("mlflow")
    tmp_path = tmp_path_factory.mktemp("tracking")
    port = ports.claim(0)
    store = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/mlflow.db",
        "--artifacts-destination",
        str(tmp_path / "art"),
    ]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *store]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", "1"], cwd=tmp_path, stdout=log, stderr=log, start_new_session=True
        )
    try:
        end_s = time.monotonic() + 100
        while isinstance(ready.get("127.0.0.1", port, "/health"), str) and time.monotonic() < end_s:
            assert process.poll() is None, (tmp_path / "server.log").read_text()[-2000:]
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@pytest.mark.timeout(240)
def test_a_run_is_logged_with_its_steps_and_files(tmp_path: Path, tracking: str) -> None:
    """Metrics equal summary.json, a step a second, the report among the artifacts, the verdict as a tag."""
    from mlflow import MlflowClient

    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["--users", "2", "--run-time", "3s", "--mlflow-experiment", "load tests"]
        done = scorebench(tmp_path, "run", server.url, *words, MLFLOW_TRACKING_URI=tracking)
    assert done.ends_with(0), done.err
    client = MlflowClient(tracking)
    experiment = client.get_experiment_by_name("load tests")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_id in done.err
    assert run.data.metrics["calls"] == done.summary["calls"]
    assert run.data.metrics["throughput_per_s"] == pytest.approx(done.summary["throughput_per_s"])
    assert run.data.tags["scorebench.valid"] == "True"
    assert run.data.params["users"] == "2"
    assert run.data.tags["mlflow.note.content"].startswith("## Load test")
    history = client.get_metric_history(run.info.run_id, "second/valid")
    assert sum(metric.value for metric in history) == done.summary["valid"]
    assert len({metric.step for metric in history}) == len(history) >= 3
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"report.html", "recording.json", "summary.json"} <= files


@pytest.mark.timeout(240)
def test_figures_are_linked_to_the_model_that_was_scored(tmp_path: Path, tracking: str) -> None:
    """A logged model of this server has the run's summary metrics, once, and none of the seconds'."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking)
    model = client.create_logged_model(client.create_experiment("models"), name="mine")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(
        f"model_id: {model.model_id}\n"
        """signature: {inputs: '[{"type": "double", "name": "pH", "required": true}]'}\n"""
        "flavors: {python_function: {}}\n"
    )
    with scoring_server() as server:
        words = ["--users", "1", "--calls", "50", "--model", str(folder), "--mlflow-experiment", "models"]
        done = scorebench(tmp_path, "run", server.url, *words, MLFLOW_TRACKING_URI=tracking)
    assert done.ends_with(0), done.err
    linked = {metric.key: metric.value for metric in client.get_logged_model(model.model_id).metrics or ()}
    assert linked["calls"] == 50
    assert linked["service_time_s/p50"] == pytest.approx(done.summary["service_time_s"]["p50"])
    (run,) = client.search_runs([model.experiment_id])
    inputs = client.get_run(run.info.run_id).inputs.model_inputs
    assert [given.model_id for given in inputs] == [model.model_id]
    assert not [name for name in linked if name.startswith("second/")]


@pytest.mark.timeout(240)
def test_a_deleted_experiment_is_told_before_the_load(tmp_path: Path, tracking: str) -> None:
    """MLflow takes no run in it: one line, exit 2, nothing sent."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking)
    client.delete_experiment(client.create_experiment("old"))
    with scoring_server() as server:
        words = ["--calls", "3", "--mlflow-experiment", "old"]
        done = scorebench(tmp_path, "run", server.url, *words, MLFLOW_TRACKING_URI=tracking)
        assert not server.log()
    assert done.code == 2
    assert "--mlflow-experiment old: it was deleted" in done.err


@contextmanager
def agent_server(folder: Path, tracking: str) -> Iterator[str]:
    """The URL of an AgentServer that takes part in its callers' traces, as docs/telemetry.md shows."""
    port = ports.claim(0)
    (folder / "agent.py").write_text(AGENT)
    # Its thread of batches comes too late for traces that others began: MLflow 3.17 drops their spans then.
    named = os.environ | {"MLFLOW_TRACKING_URI": tracking, "MLFLOW_USE_BATCH_SPAN_PROCESSOR": "false"}
    with (folder / "agent.log").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "agent.py", str(port)], cwd=folder, stdout=told, stderr=told, env=named
        )
        try:
            end_s = time.monotonic() + WAIT_S
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                except OSError:
                    assert process.poll() is None, (folder / "agent.log").read_text()[-2000:]
                    assert time.monotonic() < end_s
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.timeout(240)
def test_the_slowest_calls_are_found_in_mlflow(tmp_path: Path, tracking: str) -> None:
    """Each by `tr-` and its id: a trace with the agent's spans, which took no longer than the call.

    The seventh call sleeps three seconds: it is the report's slowest, and MLflow shows where it was.
    """
    from mlflow import MlflowClient

    (tmp_path / "body.json").write_text(json.dumps({"inputs": ["hello"]}))
    with agent_server(tmp_path, tracking) as url:
        words = ["--body", "body.json", "--expect", "$.n", "--users", "1", "--calls", str(CALLS)]
        done = scorebench(tmp_path, "run", url, *words, "--traceparent")
        assert done.code in (0, 4), done.out + done.err
        slowest = done.summary["slowest"]
        assert len(slowest) == CALLS
        client, end_s = MlflowClient(tracking), time.monotonic() + WAIT_S
        spans = {one["trace_id"]: spans_of(client, one["trace_id"], end_s) for one in slowest}
    for one in slowest:
        assert 0.01 <= spans[one["trace_id"]]["answer"] < one["service_s"]
    assert spans[slowest[0]["trace_id"]]["look it up"] >= 3


def spans_of(client: Any, trace_id: str, end_s: float) -> dict[str, float]:
    """The seconds of each span by its name; the server tells of its spans in the background."""
    from mlflow.exceptions import MlflowException

    found: dict[str, float] = {}
    while set(found) < {"answer", "look it up"}:
        assert time.monotonic() < end_s, found
        try:
            trace = client.get_trace(f"tr-{trace_id}")
        except MlflowException:  # it has not come yet
            trace = None
        spans = [] if trace is None else trace.data.spans
        found = {span.name: (span.end_time_ns - span.start_time_ns) / 1e9 for span in spans}
        time.sleep(0.0 if len(found) > 1 else 0.2)
    return found
