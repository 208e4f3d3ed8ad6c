"""MLeap in the SageMaker image: the Java server's predictions, SageMaker's rules, and who refuses it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import requirements
from tests.live.scoring import (
    Demo,
    assert_pings,
    assert_predicts,
    assert_runs_as_sagemaker_does,
    largest_body,
    post,
)

from scorebench import servers
from scorebench.servers import engine, hosting

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(autouse=True)
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The engine. At the end of each test it has the containers that it had before."""
    requirements.docker_engine()
    monkeypatch.setenv("SCOREBENCH_RUNTIME_DIR", str(tmp_path / "runtime"))
    found = engine.connect()
    before = found.containers.list(all=True)
    yield found
    assert found.containers.list(all=True) == before
    found.close()


def test_a_model_made_from_scikit_learn(mleap_model: Demo, rows: dict[str, Any], client: Any) -> None:
    """Java gives scikit-learn's own predictions, and keeps SageMaker's rules."""
    server = servers.create("sagemaker", model_uri=str(mleap_model.folder), port=0)
    with servers.running(server):
        assert_predicts(server.endpoint, rows, mleap_model.predictions, wrapped=False)
        info = server.describe()
        assert info.java_server_version == "1.20.0"
        assert (info.flavors, info.mlflow_version, info.workers) == (("mleap",), None, None)
        container = client.containers.get((info.container_ids or ("",))[0])
        assert_runs_as_sagemaker_does(container.attrs)
        assert (info.time_to_ready_s or 999) < hosting.READY_WITHIN_S
        assert_pings(info.url)
        body, count = largest_body({"columns": rows["columns"], "data": []}, rows["data"])
        largest = post(info.url, body)
        assert (largest.status, len(largest.predictions())) == (200, count)
        container.kill(signal="SIGTERM")
        status = container.wait(timeout=hosting.STOPPED_WITHIN_S)["StatusCode"]
        assert status == 128 + signal.SIGTERM  # as the JVM ends on it


def test_one_spark_pipeline_is_scored_by_java_when_asked(
    mleap_spark_model: Demo, rows: dict[str, Any]
) -> None:
    """MLFLOW_DEPLOYMENT_FLAVOR_NAME=mleap picks Java for a model of three flavors; it agrees with Spark."""
    model = str(mleap_spark_model.folder)
    with servers.running(
        servers.create("sagemaker", model_uri=model, port=0, deployment_flavor="mleap")
    ) as server:
        assert server.describe().java_server_version == "1.20.0"
        assert_predicts(server.endpoint, rows, mleap_spark_model.predictions, wrapped=False)


def test_mlflows_docker_image_refuses_the_model(mleap_model: Demo) -> None:
    """`generate-dockerfile` ends with 1: its own last line is the reason, and no container is started."""
    server = servers.create("docker", model_uri=str(mleap_model.folder), port=0)
    with pytest.raises(servers.ServerFailed) as failure, servers.running(server):
        pass
    assert failure.value.reason == "No suitable flavor backend was found for the model."
    assert failure.value.summary == "docker: MLflow's generator ended with status 1"
