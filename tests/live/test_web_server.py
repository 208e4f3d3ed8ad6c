"""MLflow's web server itself: what it predicts, what is told of it, and that nothing of it stays."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.live.scoring import Demo, assert_predicts, post

from scorebench import servers
from scorebench.answers.server_timing import parse
from scorebench.errors import InputError
from scorebench.folders.names import SERVER_LOG
from scorebench.servers import leftovers

pytestmark = pytest.mark.timeout(
    600
)  # starts of servers, one after the other, on a machine that others share
STARTER = """
import sys, time
from scorebench import servers
with servers.running(servers.create("webserver", model_uri=sys.argv[1], port=0, workers=2)):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SCOREBENCH_RUNTIME_DIR", str(tmp_path / "runtime"))
    yield
    assert not list((tmp_path / "runtime").glob("*.json"))
    assert not _servers(tmp_path)


def test_a_scikit_learn_model(sklearn_model: Demo, rows: dict[str, Any], tmp_path: Path) -> None:
    """Each prediction is the model's own; all that is told of the server is so; it ends with the block."""
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cpus = () if core is None else (core,)
    server = servers.create(
        "webserver", model_uri=str(sklearn_model.folder), port=0, workers=2, cpus=cpus, log_folder=tmp_path
    )
    heard: list[tuple[float, str]] = []
    with servers.running(server, lambda waited, line: heard.append((waited, line))):
        assert_predicts(server.endpoint, rows, sklearn_model.predictions)
        info = server.describe()
        assert server.alive()
        assert server.exit_status() is None
        affinities = [os.sched_getaffinity(pid) for pid in info.pids or ()] if cpus else []
    assert info.flavors == ("python_function", "sklearn")
    assert (info.workers, info.cpus, info.python_version) == (2, cpus or None, sys.version.split()[0])
    assert info.mlflow_version is not None
    assert info.pids is not None
    assert len(info.pids) >= 3  # uvicorn and two workers
    assert all(affinity == {core} for affinity in affinities)
    assert not any(map(psutil.pid_exists, info.pids))
    assert not server.alive()
    assert heard[-1][0] > 0
    assert "Application startup complete" in (tmp_path / SERVER_LOG).read_text()
    assert "/invocations" not in server.log_tail(1000)  # a line a call would be part of what is measured


def test_a_sparkml_model(spark_model: Demo, rows: dict[str, Any]) -> None:
    """Each prediction is Spark's own; its Java ends with the server; nearly all of a call is its predict.

    Of ten calls the one with the largest share of predict counts: other programs have turns in any part.
    """
    server = servers.create("webserver", model_uri=str(spark_model.folder), port=0, timings=True)
    with servers.running(server):
        assert_predicts(server.endpoint, rows, spark_model.predictions)
        headers = [post(server.endpoint, {"dataframe_split": rows}).server_timing for _ in range(10)]
        durations = [parse(header.encode()).durations_s for header in headers]
        assert max(one["predict"] / one["total"] for one in durations) > 0.8
        pids = server.describe().pids or ()
        assert any("java" in psutil.Process(pid).name() for pid in pids)
    assert not any(map(psutil.pid_exists, pids))


def test_an_mleap_model_is_refused_in_mlflows_own_words(mleap_model: Demo) -> None:
    """MLflow 3 has no MLeap: the server ends with 1, and its last line is the reason."""
    server = servers.create("webserver", model_uri=str(mleap_model.folder), port=0)
    with pytest.raises(servers.ServerFailed) as failure, servers.running(server):
        pass
    assert failure.value.reason == "No suitable flavor backend was found for the model."
    assert failure.value.summary == "webserver ended with status 1 before it answered"


def test_all_flavors_of_one_spark_pipeline_are_served_by_spark(
    mleap_spark_model: Demo, rows: dict[str, Any]
) -> None:
    """The model that has spark, python_function and mleap flavors: the web server scores it with Spark."""
    server = servers.create("webserver", model_uri=str(mleap_spark_model.folder), port=0)
    with servers.running(server):
        assert_predicts(server.endpoint, rows, mleap_spark_model.predictions)


def test_a_killed_starter_leaves_no_server(sklearn_model: Demo, tmp_path: Path) -> None:
    """After SIGKILL of the one who started it, uvicorn and its workers end by themselves."""
    command = [sys.executable, "-c", STARTER, str(sklearn_model.folder)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    assert len(_servers(tmp_path)) >= 3
    starter.kill()
    starter.communicate()
    deadline = time.monotonic() + 60
    while _servers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _servers(tmp_path) == []
    assert leftovers.stop_abandoned() == [f"webserver of process {starter.pid}"]  # its note


def test_a_server_that_dies_in_the_run_is_seen(sklearn_model: Demo) -> None:
    """`alive` turns False, with the status, when somebody kills uvicorn."""
    with servers.running(servers.create("webserver", model_uri=str(sklearn_model.folder), port=0)) as server:
        for pid in server.describe().pids or ():
            psutil.Process(pid).kill()
        deadline = time.monotonic() + 30
        while server.alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not server.alive()
        assert server.exit_status() not in (None, 0)


def test_mistakes_are_refused_before_anything_starts(sklearn_model: Demo, tmp_path: Path) -> None:
    """A port in use, a folder without a model, a core that is not there: one line each."""
    model = str(sklearn_model.folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InputError, match=f"127.0.0.1:{port} is in use"):
            servers.create("webserver", model_uri=model, port=port).start()
    with pytest.raises(InputError, match="no MLmodel file there"):
        servers.create("webserver", model_uri=str(tmp_path), port=0).start()
    with pytest.raises(InputError, match="no core 4095"):
        servers.create("webserver", model_uri=model, port=0, cpus=(4095,)).start()


def _servers(tmp_path: Path) -> list[int]:
    """What was started as part of a server with this test's runtime folder, by their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("SCOREBENCH_RUNTIME_DIR") == str(tmp_path / "runtime")
            if ours and leftovers.TOKEN_VARIABLE in process.environ():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _port(url: str) -> str:
    return url.rsplit(":", 1)[1]
