"""What every server shares: ports, logs, model folders, the choice by name, and the words of refusals."""

from __future__ import annotations

import http.server
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench import servers
from scorebench.errors import InputError
from scorebench.models.spark import require_java
from scorebench.recordings.types import Sample
from scorebench.servers import docker as docker_server
from scorebench.servers import engine, images, leftovers, logs, mlmodel, ports, ready
from scorebench.servers import sagemaker as sagemaker_server
from scorebench.servers.container import TIMINGS_VARIABLE, ContainerServer, ContainerSpec, with_timings
from scorebench.servers.protocol import Progress, ServerFailed, ServerInfo
from tests import requirements
from tests.scoring_server import scoring_server

MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn:
    pickled_model: model.pkl
mlflow_version: 3.17.2
"""


def test_a_free_port_is_given_back() -> None:
    """0 becomes a port that can be bound; a free port stays what it is."""
    port = ports.claim(0)
    assert port > 0
    assert ports.claim(port) == port


def test_a_port_in_use_is_refused_by_the_name_of_its_holder() -> None:
    """The message names the port, who listens there, and the option."""
    with _listening() as port, pytest.raises(InputError) as refusal:
        ports.claim(port)
    assert str(refusal.value).startswith(f"--port {port}: 127.0.0.1:{port} is in use by ")
    assert str(refusal.value).endswith("choose another with --port")


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    """TCP has ports up to 65535."""
    with pytest.raises(InputError, match=f"--port {port}: a TCP port"):
        ports.claim(port)


def test_a_logs_tail_has_no_control_characters() -> None:
    """Colours, titles, bells and cursor movements of a log stay out of the terminal."""
    text = b"first\n\x1b[31mred\x1b[0m\x07\n\x1b]0;title\x07plain\n\n10%\r20%\n"
    assert logs.tail(text, 4) == "red\nplain\n10%\n20%"


@given(st.binary(max_size=300), st.integers(1, 5))
def test_any_bytes_have_a_printable_tail(text: bytes, lines: int) -> None:
    """Whatever a server writes: at most so many lines, each of printable characters."""
    tail = logs.tail(text, lines)
    assert len(tail.splitlines()) <= lines
    assert all(line.isprintable() for line in tail.split("\n"))


def test_the_tail_of_a_large_log_is_read_alone(tmp_path: Path) -> None:
    """The end of a log of 10 MB, and of one that is not there."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 10_000_000 + b"\nlast\n")
    assert logs.tail_of_file(log, 1) == "last"
    assert logs.tail_of_file(tmp_path / "none", 1) == ""


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("a\nException: No suitable flavor backend was found.", "No suitable flavor backend was found."),
        ("mlflow.exceptions.MlflowException: no model", "no model"),
        ("plain: words", "plain: words"),
        ("", "webserver ended"),
    ],
)
def test_the_reason_is_the_logs_last_line(tail: str, reason: str) -> None:
    """Without the name of a Python exception; without a log it is the message."""
    assert ServerFailed("webserver ended", tail).reason == reason


def test_the_reason_of_a_server_that_is_too_slow_is_that_before_its_last_line_of_log() -> None:
    """The log of a server that is still starting may end with something harmless."""
    slow = ServerFailed("webserver did not answer within 120 s", "INFO: Running command", is_slow=True)
    assert slow.reason == "webserver did not answer within 120 s; its log ends: INFO: Running command"


def test_a_model_folder_tells_its_flavors_and_versions(tmp_path: Path) -> None:
    """As its MLmodel file has them."""
    (tmp_path / "MLmodel").write_text(MLMODEL)
    card = mlmodel.read_card(tmp_path)
    assert card.flavors == ("python_function", "sklearn")
    assert (card.mlflow_version, card.python_version) == ("3.17.2", "3.11.7")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no MLmodel file there"),
        ("a: [", "cannot be read as YAML"),
        ("- 1", "found a list"),
        ("flavors: {}", "no flavors"),
        ("flavors: !!python/object/apply:os.getpid []", "cannot be read as YAML"),
        ("flavors: " + "[" * 10_000, "cannot be read as YAML"),
        ("x" * 10_000_001, "10000001 characters"),
    ],
)
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, content: str | None, found: str) -> None:
    """The message names the folder and what was found; YAML that would run code is not run."""
    if content is not None:
        (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(InputError, match=found) as refusal:
        mlmodel.read_card(tmp_path)
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("model", Path("model")),
        ("file:///a%20b/c", Path("/a b/c")),
        ("models:/m/1", None),
        ("runs:/1/m", None),
    ],
)
def test_local_uris_are_told_from_others(uri: str, folder: Path | None) -> None:
    """A path and a file URI name a folder here; what MLflow resolves does not."""
    assert mlmodel.local_folder(uri) == folder


def test_an_unknown_server_is_refused() -> None:
    """The message lists those there are."""
    with pytest.raises(InputError, match=r"gunicorn: no such server; expected one of webserver, docker"):
        servers.create("gunicorn", model_uri="m")
    with pytest.raises(InputError, match="--workers 0"):
        servers.create("docker", model_uri="m", workers=0)
    with pytest.raises(InputError, match="no CPU or memory limit"):
        servers.create("webserver", model_uri="m", memory_bytes=1)


def test_a_server_that_never_answers_fails_with_its_log() -> None:
    """After the given time, naming what was asked and what came, with the last lines of the log."""
    with _listening() as port:
        pass
    with pytest.raises(ServerFailed, match=r"did not answer GET .*/ping with 200 within 0 s") as failure:
        ready.wait("test", host="127.0.0.1", port=port, server=_Mute(alive=True), timeout_s=0, progress=None)
    assert failure.value.reason == f"{failure.value.summary}; its log ends: out of memory"


def test_a_server_of_somebody_else_is_not_taken_for_ours() -> None:
    """Two start on one port, and the other one has it first: its answers are not ours to measure."""
    with scoring_server() as server:
        port = int(server.url.rpartition(":")[2])

        def wait(pids: list[int]) -> float:
            return ready.wait(
                "test",
                host="127.0.0.1",
                port=port,
                server=_Mute(alive=True),
                timeout_s=0.2,
                progress=None,
                is_ours=lambda: ports.is_held_by(port, pids),
            )

        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            with pytest.raises(ServerFailed, match=f"another process answered on port {port}"):
                wait([child.pid])
        finally:
            child.kill()
            child.wait()
        assert wait([child.pid, server.pid]) < 5


def test_a_server_that_ends_fails_with_its_status() -> None:
    """Without waiting for the time to be over."""
    with pytest.raises(ServerFailed, match="test ended with status 137 before it answered"):
        ready.wait("test", host="127.0.0.1", port=1, server=_Mute(alive=False), timeout_s=600, progress=None)


def test_no_engine_is_an_error_that_names_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOCKER_HOST without an engine behind it: one line, with the address and what to do."""
    requirements.module("docker")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(
        InputError, match=r"docker\.sock: no Docker engine answers .*set DOCKER_HOST"
    ) as refusal:
        engine.connect()
    assert "\n" not in str(refusal.value)


def test_an_engine_that_refuses_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that answers 403 to everything."""
    requirements.module("docker")
    with _mlflow_like(status=403) as url:
        monkeypatch.setenv("DOCKER_HOST", url.replace("http", "tcp"))
        with pytest.raises(InputError, match=r"the Docker engine refuses"):
            engine.connect()


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"cpu_limit": float("nan")}, "--cpu-limit nan"),
        ({"cpu_limit": float("inf")}, "--cpu-limit inf"),
        ({"cpu_limit": 0.0}, "--cpu-limit 0"),
        ({"cpu_limit": -1.0}, "--cpu-limit -1"),
        ({"memory_bytes": 0}, "--memory 0"),
        ({"memory_bytes": 5 * 2**20}, "--memory 5: a container needs at least 6 MB"),
    ],
)
def test_limits_that_no_container_can_have_are_refused(limit: dict[str, Any], said: str) -> None:
    """Before an image is built for it; the message names the option."""
    with pytest.raises(InputError, match=re.escape(said)):
        servers.create("docker", model_uri="model", **limit)


DOCKER = ContainerSpec(docker_server.IMAGE)
OPTIONS = {"environment": {"MLFLOW_MODELS_WORKERS": "1"}, "volumes": {}, "init": True}


def _image(*entrypoint: str) -> Any:
    return SimpleNamespace(attrs={"Config": {"Entrypoint": list(entrypoint)}})


def test_mlflows_image_is_started_by_the_module_that_times_it() -> None:
    """MLflow's own code runs as before, in the same Python; only the module's folder is mounted."""
    found = with_timings(OPTIONS, _image("python", "-c", "C._serve('local')"), DOCKER)
    assert found["entrypoint"] == ["python", "-m", "scorebench.timings", "-c", "C._serve('local')"]
    assert found["environment"]["MLFLOW_MODELS_WORKERS"] == "1"
    ((folder, place),) = found["volumes"].items()
    assert sorted(path.name for path in Path(folder).glob("m*.py")) == ["middleware.py", "mlflow_server.py"]
    assert place == {"bind": f"{found['environment']['PYTHONPATH']}/scorebench/timings", "mode": "ro"}
    assert found["init"] is True


def test_our_own_image_is_told_by_a_variable() -> None:
    """Its entry decides between Java and Python first."""
    spec = ContainerSpec(sagemaker_server.IMAGE, starts_timings=True)
    found = with_timings(OPTIONS, _image("/bin/sh", "/opt/scorebench/entry"), spec)
    assert "entrypoint" not in found
    assert f"${{{TIMINGS_VARIABLE}:+-m scorebench.timings}}" in (images.OURS / "sagemaker/entry").read_text()
    assert found["environment"][TIMINGS_VARIABLE]


@pytest.mark.parametrize("entrypoint", [(), ("serve",), ("python", "app.py")])
def test_an_image_that_starts_in_another_way_is_refused(entrypoint: tuple[str, ...]) -> None:
    """Before anything is started, since a run without the timings that were asked for helps nobody."""
    with pytest.raises(ServerFailed, match="run without it"):
        with_timings(OPTIONS, _image(*entrypoint), DOCKER)


def test_a_container_out_of_reach_is_left_to_a_later_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine goes away before the container is taken down: the note of it stays."""
    monkeypatch.setenv("SCOREBENCH_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/gone.sock")
    server = servers.create("sagemaker", model_uri="model", port=0)
    assert isinstance(server, ContainerServer)
    server._token = leftovers.register("sagemaker", engine.address())
    server.stop()
    assert len(list((tmp_path / "runtime").glob("*.json"))) == 1


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Java on the PATH: which version to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(InputError, match="needs Java 17 or newer, and no java is on the PATH; install a JRE"):
        require_java("a SparkML model")


def test_a_java_that_does_not_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME without a Java in it."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=f"{tmp_path}/bin/java: this Java does not start"):
        require_java("a SparkML model")


@pytest.mark.parametrize(
    ("name", "tag"),
    [("sklearn", "sklearn"), ("My Model", "my-model"), ("..", "model"), ("é", "model"), ("-a", "a")],
)
def test_an_images_tag_is_one_that_docker_takes(tmp_path: Path, name: str, tag: str) -> None:
    """Whatever the model's folder is called."""
    model = tmp_path / name if name != ".." else Path("/")
    assert images.tag("docker", model) == f"scorebench-docker:{tag}"


def test_an_images_key_changes_with_what_is_in_it(tmp_path: Path) -> None:
    """`docker` holds the model; `sagemaker` holds only the packages that its requirements name."""
    requirements.module("mlflow")
    (tmp_path / "MLmodel").write_text(MLMODEL)
    docker, sagemaker = docker_server.IMAGE, sagemaker_server.IMAGE
    before = images.key(docker, tmp_path), images.key(sagemaker, tmp_path)
    (tmp_path / "model.pkl").write_bytes(b"new")
    assert images.key(docker, tmp_path) != before[0]
    assert images.key(sagemaker, tmp_path) == before[1]
    (tmp_path / "requirements.txt").write_text("scikit-learn")
    assert images.key(sagemaker, tmp_path) != before[1]


class _Mute:
    """A server whose log is known, and that answers nothing."""

    kind = "test"
    endpoint = "http://127.0.0.1:1"

    def __init__(self, alive: bool) -> None:
        self._is_alive = alive

    def start(self, progress: Progress | None = None) -> None: ...
    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None: ...
    def stop(self) -> None: ...

    def describe(self) -> ServerInfo:
        return ServerInfo(kind=self.kind, url=self.endpoint)

    def alive(self) -> bool:
        return self._is_alive

    def exit_status(self) -> int | None:
        return None if self._is_alive else 137

    def usage(self) -> list[Sample]:
        return []

    def log_tail(self, lines: int = 20) -> str:
        return "starting\nout of memory"


@contextmanager
def _listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def _mlflow_like(status: int = 200) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"3.17.2" if self.path == "/version" else b"no"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
