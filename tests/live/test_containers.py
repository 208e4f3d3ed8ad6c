"""MLflow's Docker and SageMaker images: what they predict, SageMaker's rules, and that no container stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
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
from scorebench.errors import InputError
from scorebench.folders import folder
from scorebench.folders.names import SERVER_LOG
from scorebench.servers import docker, engine, hosting, images, leftovers, ports, sagemaker

STOCK_BASE_IMAGE = "ubuntu:24.04"
"""What `mlflow sagemaker build-and-push-container` builds on; it fetches pyenv from the internet."""
pytestmark = pytest.mark.timeout(1500)  # images are built on the way
STARTER = """
import sys, time
from scorebench import servers
with servers.running(servers.create("sagemaker", model_uri=sys.argv[1], port=0)) as server:
    print(server.endpoint, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The engine. At the end of each test it has the containers that it had before."""
    requirements.docker_engine()
    monkeypatch.setenv("SCOREBENCH_RUNTIME_DIR", str(tmp_path / "runtime"))
    found = engine.connect()
    before = _containers(found)
    yield found
    assert _containers(found) == before
    assert not list((tmp_path / "runtime").glob("*.json"))
    found.close()


@pytest.mark.parametrize("kind", ["docker", "sagemaker"])
def test_a_scikit_learn_model(
    kind: str, sklearn_model: Demo, rows: dict[str, Any], tmp_path: Path, client: Any
) -> None:
    """Each prediction is the model's own; what is told of the container is what the engine says."""
    core = min(os.sched_getaffinity(0))
    server = servers.create(
        kind,
        model_uri=str(sklearn_model.folder),
        port=0,
        workers=2,
        cpus=(core,),
        cpu_limit=1.0,
        memory_bytes=2 * 1024**3,
        log_folder=tmp_path,
    )
    with servers.running(server):
        assert_predicts(server.endpoint, rows, sklearn_model.predictions)
        info = server.describe()
        assert server.alive()
        (container_id,) = info.container_ids or ()
        told = client.containers.get(container_id).attrs
    assert info.flavors == ("python_function", "sklearn")
    assert (info.kind, info.workers, info.cpus) == (kind, 2, (core,))
    assert info.mlflow_version is not None
    assert info.python_version is not None
    assert told["Image"] == info.image_id
    host = told["HostConfig"]
    assert (host["CpusetCpus"], host["NanoCpus"], host["Memory"]) == (str(core), 10**9, 2 * 1024**3)
    assert [at["HostIp"] for at in told["NetworkSettings"]["Ports"]["8080/tcp"]] == ["127.0.0.1"]
    assert not server.alive()
    assert "Application startup complete" in (tmp_path / SERVER_LOG).read_text()


@pytest.mark.parametrize("kind", ["docker", "sagemaker"])
def test_a_sparkml_model(kind: str, spark_model: Demo, rows: dict[str, Any]) -> None:
    """Each prediction is Spark's own."""
    with servers.running(servers.create(kind, model_uri=str(spark_model.folder), port=0)) as server:
        assert_predicts(server.endpoint, rows, spark_model.predictions)


def test_sagemakers_rules(sklearn_model: Demo, rows: dict[str, Any], client: Any) -> None:
    """Healthy within 240 s, a ping within 2 s, a body of 6,291,456 bytes, SIGTERM obeyed within 30 s; run as
    SageMaker runs it: `serve`, the model read-only at /opt/ml/model, port 8080, no init."""
    server = servers.create("sagemaker", model_uri=str(sklearn_model.folder), port=0)
    with servers.running(server):
        info = server.describe()
        container = client.containers.get((info.container_ids or ("",))[0])
        assert_runs_as_sagemaker_does(container.attrs)
        assert (info.time_to_ready_s or 999) < hosting.READY_WITHIN_S
        assert_pings(info.url)
        body, count = largest_body(
            {"dataframe_split": {"columns": rows["columns"], "data": []}}, rows["data"]
        )
        largest = post(info.url, body)
        assert (largest.status, len(largest.predictions())) == (200, count)
        began = time.monotonic()
        container.kill(signal="SIGTERM")
        status = container.wait(timeout=hosting.STOPPED_WITHIN_S)["StatusCode"]
        assert time.monotonic() - began < hosting.STOPPED_WITHIN_S
        assert status != 128 + signal.SIGKILL


def test_the_images_are_mlflows(sklearn_model: Demo, tmp_path: Path) -> None:
    """MLflow's text is in our contexts to the letter: all of `docker`, the first stage of `sagemaker`."""
    ours = tmp_path / "docker"
    images.write_context(docker.IMAGE, sklearn_model.folder, ours)
    theirs = tmp_path / "theirs"
    generate = ["models", "generate-dockerfile", "--env-manager", "local", "-m", str(sklearn_model.folder)]
    _run(["-m", "mlflow", *generate, "-d", str(theirs)])
    assert _files(ours) == _files(theirs)

    stock = tmp_path / "stock"
    recipe = replace(sagemaker.IMAGE, base_image=STOCK_BASE_IMAGE)
    images.write_context(recipe, sklearn_model.folder, stock)
    first_stage = (stock / "Dockerfile").read_text().split("\n# ---- Above: ")[0]
    _, _, first_stage = first_stage.partition("\n")  # the build argument of our own stages
    assert first_stage.replace(" AS mlflow", "") == _what_mlflow_hands_to_docker()


def test_an_image_that_does_not_build_shows_its_last_lines(tmp_path: Path, client: Any) -> None:
    """The builder's own words, and no image."""
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.11-slim-bookworm\nRUN echo 'no such package: x' && exit 7\n"
    )
    log = tmp_path / "build.log"
    with pytest.raises(servers.ServerFailed, match="image scorebench-broken failed to build") as failure:
        images.build(client, tmp_path, "scorebench-broken", log=log)
    assert "no such package: x" in failure.value.tail
    assert "returned a non-zero code: 7" in failure.value.reason
    assert "no such package: x" in log.read_text()
    assert not client.images.list("scorebench-broken")


def test_a_container_that_dies_in_the_run_is_seen(sklearn_model: Demo, client: Any) -> None:
    """`alive` turns False, with the status and the log's tail; a removed one is not alive either."""
    server = servers.create("sagemaker", model_uri=str(sklearn_model.folder), port=0)
    with servers.running(server):
        container = client.containers.get((server.describe().container_ids or ("",))[0])
        container.kill()
        container.wait()
        assert not server.alive()
        assert server.exit_status() == 128 + signal.SIGKILL
        assert "Application startup complete" in server.log_tail()
        container.remove()
        assert not server.alive()
        assert server.exit_status() is None


def test_a_run_ends_with_its_container(sklearn_model: Demo, client: Any, tmp_path: Path) -> None:
    """`docker kill` during a run: it ends early and says so; the calls are counted, the log is kept."""
    command = [
        sys.executable,
        "-m",
        "scorebench",
        "run",
        "sagemaker",
        "--model-uri",
        str(sklearn_model.folder),
    ]
    command += ["--port", str(ports.claim(0)), "--users", "2", "--run-time", "300s", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as run:
        _wait_for_calls(client, run)
        killed_s = time.monotonic()
        client.containers.get(_ours(client)[0]).kill()
        _, said = run.communicate(timeout=90)
    assert time.monotonic() - killed_s < 60
    assert run.returncode in (1, 4), said
    recording = folder.read(tmp_path / "reports" / "latest")
    assert [event["what"] for event in recording.events] == ["server ended"]
    assert recording.measured.valid > 0
    failed = recording.measured.calls - recording.measured.valid
    assert 0 < failed < 6_000  # two users, 10 ms between refusals: seconds, not minutes
    assert "Application startup complete" in (tmp_path / "reports" / "latest" / SERVER_LOG).read_text()
    assert "sagemaker ended during the run, with status 137; its log ends:\n" in said
    assert "POST /invocations" in said
    assert "Traceback" not in said


def test_a_run_that_is_refused_leaves_no_container(sklearn_model: Demo, client: Any, tmp_path: Path) -> None:
    """Wrong input that only the load's process finds: exit 2, no folder, and the server goes too."""
    command = [sys.executable, "-m", "scorebench", "run", "sagemaker", "--data", "missing.csv"]
    command += ["--model-uri", str(sklearn_model.folder), "--port", "0", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "missing.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()
    assert _ours(client) == []


def _wait_for_calls(client: Any, run: subprocess.Popen[str]) -> None:
    """Until the run's server has answered some calls, as its own log says."""
    end_s = time.monotonic() + 600  # its image may have to be built
    while time.monotonic() < end_s and run.poll() is None:
        for container_id in _ours(client):
            if b"POST /invocations" in client.containers.get(container_id).logs():
                return
        time.sleep(0.5)
    pytest.fail(f"no calls came: {run.poll()}")


def test_a_container_that_does_not_come_up_shows_its_log(tmp_path: Path, sklearn_model: Demo) -> None:
    """A model whose file is broken: MLflow's own last line."""
    broken = tmp_path / "broken"
    _run(["-c", "import shutil, sys; shutil.copytree(*sys.argv[1:])", str(sklearn_model.folder), str(broken)])
    (broken / "model.skops").write_bytes(b"no model")
    server = servers.create("sagemaker", model_uri=str(broken), port=0)
    with pytest.raises(servers.ServerFailed) as failure, servers.running(server, ready_timeout_s=60):
        pass
    assert failure.value.tail


def test_the_next_start_removes_what_a_killed_one_left(sklearn_model: Demo, client: Any) -> None:
    """After SIGKILL of who started it, the container goes with the next start, which gets its port; a living
    one's stays."""
    starter, endpoint = _start(sklearn_model)
    assert leftovers.stop_abandoned() == []
    (left,) = _ours(client)
    starter.kill()
    starter.communicate()
    assert _ours(client) == [left]
    port = int(endpoint.rsplit(":", 1)[1])
    with servers.running(
        servers.create("sagemaker", model_uri=str(sklearn_model.folder), port=port)
    ) as server:
        assert _ours(client) == list(server.describe().container_ids or ())
        assert left not in _ours(client)


def test_sigterm_takes_the_container_down(sklearn_model: Demo, client: Any) -> None:
    """A terminated run leaves no container; its status is a terminated process's."""
    starter, _ = _start(sklearn_model)
    starter.terminate()
    assert starter.wait(timeout=90) == 128 + signal.SIGTERM
    assert _ours(client) == []


def test_a_folder_without_a_model_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    """One line; no image, no container."""
    with pytest.raises(InputError, match="no MLmodel file there"):
        servers.create("sagemaker", model_uri=str(tmp_path), port=0).start()


def _start(model: Demo) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-c", STARTER, str(model.folder)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    endpoint = starter.stdout.readline().strip()
    assert endpoint.startswith("http://127.0.0.1:")
    return starter, endpoint


def _ours(client: Any) -> list[str]:
    labelled = client.containers.list(all=True, filters={"label": leftovers.TOKEN_LABEL})
    return [container.id for container in labelled]


def _what_mlflow_hands_to_docker() -> str:
    """The Dockerfile of `mlflow sagemaker build-and-push-container`, caught where MLflow would run docker."""
    return _run(
        [
            "-c",
            "import pathlib\n"
            "from mlflow.models import docker_utils\n"
            "from mlflow.sagemaker.cli import build_and_push_container as command\n"
            "def caught(folder, **_): print(pathlib.Path(folder, 'Dockerfile').read_text(), end='')\n"
            "docker_utils.build_image_from_context = caught\n"
            "command(['--build', '--no-push'], standalone_mode=False)\n",
        ]
    )


def _run(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _containers(client: Any) -> set[str]:
    return {container.id for container in client.containers.list(all=True)}
