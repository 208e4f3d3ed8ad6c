"""A run in a real MLflow tracking server on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import scorebench
from tests.scoring_server import Behaviour, Constant, scoring_server

from scorebench.servers import ports, ready


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
        process.wait(20)


@pytest.mark.timeout(240)
def test_a_run_is_logged_with_its_steps_and_files(tmp_path: Path, tracking: str) -> None:
    """Metrics equal summary.json, a step a second, the report among the artifacts, the verdict as a tag."""
    from mlflow import MlflowClient

    with scoring_server(Behaviour(service=Constant(0.01))) as server:
        words = ["--users", "2", "--run-time", "3s", "--mlflow-experiment", "load tests"]
        done = scorebench(tmp_path, "run", server.url, *words, MLFLOW_TRACKING_URI=tracking)
    assert done.code == 0, done.err
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
    assert done.code == 0, done.err
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
