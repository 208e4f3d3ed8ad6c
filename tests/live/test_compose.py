"""docker-compose.yml: each profile comes up with --wait, scores as the model does, and goes down again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import requirements
from tests.live.scoring import Demo, assert_predicts

from scorebench.folders import folder
from scorebench.recordings.recording import Recording
from scorebench.servers import compose, ports

pytestmark = pytest.mark.timeout(1500)
ROOT = Path(__file__).resolve().parents[2]
PROFILES = ("webserver", "docker", "sagemaker")
CLONE = (
    "docker-compose.yml", "Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE",
    "src", "payloads", "locks", "locustfile.py", "locust.conf",
)  # fmt: skip
BUILT = {"SCOREBENCH_IMAGES": "built"}
# What the classic builder of older engines doesn't know.
BUILDKIT_ONLY = re.compile(
    r"^# syntax=|RUN --mount|COPY --(chmod|link|parents)|ADD --(chmod|checksum)|<<-?'?\"?EOF"
)


class Compose:
    """`docker compose` on a copy of the file, in a project of this test's own, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self._command = [*_compose(), "-p", "scorebench-test"]
        self._folder = folder
        self.ports = {name: ports.claim(0) for name in (*PROFILES, "locust")}
        published = {f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        limits = {"SERVER_CPUS": "1.5", "SERVER_MEMORY": "2g", "WORKERS": "1"}
        # The classic builder, as engines without buildx have it.
        self._environment = (
            os.environ | published | limits | BUILT | {"DOCKER_BUILDKIT": "0", "TARGET": "sagemaker"}
        )

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (
            f"{arguments}: {done.stdout[-2000:]}\n{done.stderr[-3000:]}\n{self._logs()}"
        )
        return done.stdout

    def _logs(self) -> str:
        """What the containers said: a server that ended says why."""
        every = [word for profile in (*PROFILES, "load") for word in ("--profile", profile)]
        told = subprocess.run(
            [*self._command, *every, "logs", "--tail", "60", "--no-color"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout


@pytest.fixture
def up(tmp_path: Path, sklearn_model: Demo) -> Iterator[Compose]:
    """A project with the model and the contexts, and what a clone has; taken down at the end."""
    requirements.docker_engine()
    for name in CLONE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    shutil.copytree(sklearn_model.folder, tmp_path / ".models/sklearn")
    project = Compose(tmp_path)
    yield project
    every = [word for profile in (*PROFILES, "load") for word in ("--profile", profile)]
    project(*every, "down", "--timeout", "30")
    assert project(*every, "ps", "-aq") == ""


def test_each_profile_serves_the_model(
    up: Compose, tmp_path: Path, sklearn_model: Demo, rows: dict[str, Any]
) -> None:
    """After `up --wait` each server answers as the model does, with the limits that the environment gave."""
    compose.build_images(tmp_path, tmp_path / ".models/sklearn")
    for profile in PROFILES:
        up("--profile", profile, "up", "--wait", "--no-build")
        assert_predicts(f"http://127.0.0.1:{up.ports[profile]}", rows, sklearn_model.predictions)
        told = json.loads(
            subprocess.check_output(["docker", "inspect", up("--profile", profile, "ps", "-q").strip()])
        )
        host = told[0]["HostConfig"]
        assert (host["NanoCpus"], host["Memory"]) == (1_500_000_000, 2 * 1024**3)
        bound = [at["HostIp"] for at in told[0]["NetworkSettings"]["Ports"]["8080/tcp"]]
        assert bound == ["127.0.0.1"]
        up("--profile", profile, "stop", "--timeout", "30")
        ended = json.loads(subprocess.check_output(["docker", "inspect", told[0]["Id"]]))[0]["State"][
            "ExitCode"
        ]
        assert ended != 137, f"{profile} did not obey SIGTERM"
        up("--profile", profile, "down")


def test_workers_come_and_go_while_locust_loads_a_server(up: Compose, tmp_path: Path) -> None:
    """The profile `load`: two workers, one of them killed under load, then four.

    The server's log holds every call that is counted, and of those that are not only as many as the report
    says that the killed worker may have sent.
    """
    compose.build_images(tmp_path, tmp_path / ".models/sklearn", ["sagemaker"])
    both = ("--profile", "sagemaker", "--profile", "load")
    up(*both, "build", "master")
    up(*both, "up", "--wait", "--no-build", "--scale", "worker=2")
    page = f"http://127.0.0.1:{up.ports['locust']}"
    _until(lambda: _get(f"{page}/stats/requests")["worker_count"] == 2)
    assert _get(f"{page}/swarm", b"user_count=4&spawn_rate=10")["success"]
    _until(lambda: _get(f"{page}/stats/requests")["stats"][-1]["num_requests"] >= 20)
    first = up(*both, "ps", "-q", "worker").split()[0]
    told = json.loads(subprocess.check_output(["docker", "inspect", first]))[0]
    assert (told["Config"]["User"], told["HostConfig"]["ReadonlyRootfs"]) == ("65534:65534", True)
    subprocess.run(["docker", "kill", first], check=True, capture_output=True)
    up(*both, "up", "--no-build", "--no-recreate", "--detach", "--scale", "worker=4")
    _until(lambda: _get(f"{page}/stats/requests")["worker_count"] == 4)
    before = _get(f"{page}/stats/requests")["stats"][-1]["num_requests"]
    _until(lambda: _get(f"{page}/stats/requests")["stats"][-1]["num_requests"] >= before + 20)
    total = _get(f"{page}/stats/requests")["stats"][-1]
    assert total["num_failures"] == 0, _get(f"{page}/stats/requests")["errors"]
    assert _get(f"{page}/stop", b"")["success"]
    _until((tmp_path / "reports" / "latest" / "recording.json").exists)
    _assert_counted(
        folder.read(tmp_path / "reports" / "latest"), up(*both, "logs", "--no-color", "sagemaker")
    )


def _assert_counted(recording: Recording, log: str) -> None:
    """Nothing is counted that the server has not seen, and no more is unknown than the report says."""
    happened = {event["what"] for event in recording.events}
    assert {"worker lost", "worker joined"} <= happened, recording.events
    whys = [event.get("why", "") for event in recording.events if event["what"] == "worker lost"]
    bounds = [re.search(r"at most ([\d,]+) calls", why) for why in whys]
    unknown = sum(int(bound[1].replace(",", "")) for bound in bounds if bound)
    counted = recording.measured.calls + recording.warm_up.calls
    # nginx writes a line a call, and so does uvicorn behind it, which nginx asks in HTTP/1.0; but not for a
    # caller that was killed before its answer: each of the four users may have had one such call.
    logged = log.count('"POST /invocations HTTP/1.1"')
    assert 0 <= logged - log.count('"POST /invocations HTTP/1.0"') <= 4
    assert all(bounds)
    assert counted <= logged <= counted + unknown, (counted, logged, recording.events)


def test_compose_alone_says_what_comes_first(tmp_path: Path) -> None:
    """Before the images are built: one line, and no attempt to pull them from a public registry."""
    requirements.docker_engine()
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    done = subprocess.run(
        [*_compose(), "-p", "scorebench-none", "--profile", "webserver", "up", "--wait"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in BUILT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "run make up PROFILE=webserver (or docker, sagemaker), or scorebench images build" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docker-compose.yml"]


def test_nothing_needs_buildkit_and_nothing_is_published_to_others() -> None:
    """Dockerfiles of the classic builder, and every published port with its address."""
    dockerfiles = [ROOT / "Dockerfile", *(ROOT / "src/scorebench/servers/dockerfiles").rglob("*Dockerfile")]
    assert len(dockerfiles) == 3
    for path in dockerfiles:
        assert not [line for line in path.read_text().splitlines() if BUILDKIT_ONLY.search(line)], path
    text = (ROOT / "docker-compose.yml").read_text()
    published = re.findall(r"^ +ports: \[\"(.*)\"\]$", text, re.MULTILINE)
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert "dockerfile_inline" not in text


def test_buildkit_syntax_would_be_seen() -> None:
    """The pattern of the test above finds what it is meant to find."""
    for line in (
        "RUN --mount=type=cache,target=/x pip",
        "COPY --chmod=755 a b",
        "RUN <<EOF",
        "# syntax=docker/x",
    ):
        assert BUILDKIT_ONLY.search(line)
    assert not BUILDKIT_ONLY.search("COPY --from=jars /opt/java/jars /opt/java/jars")


def _get(url: str, form: bytes | None = None) -> dict[str, Any]:
    with urllib.request.urlopen(url, form, timeout=30) as answer:
        return dict(json.load(answer))


def _compose() -> list[str]:
    """`docker compose`, or `docker-compose`."""
    for candidate in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(candidate[0]) is None:
            continue
        if subprocess.run([*candidate, "version"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.fail("neither the compose plugin nor docker-compose is installed")


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.5)
