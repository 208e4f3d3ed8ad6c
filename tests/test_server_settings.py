"""--server-env reaches the server; what changes its speed is told, and a secret is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scorebench import servers
from scorebench.api import run as api_run
from scorebench.cli import parser
from scorebench.comparison.conditions import mismatches
from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.runs.request import Request
from scorebench.servers.container import ContainerServer
from scorebench.servers.settings import HIDDEN, hidden_in, parse, shown
from scorebench.servers.web_server import WebServer

SECRET = "s3cret-value"


def test_pairs_are_read() -> None:
    """A value may hold a sign of equality, and be empty; the last of a name counts."""
    assert parse(["A=1", "B=x=y", "A=2", "C="]) == {"A": "2", "B": "x=y", "C": ""}
    assert parse(None) == {}


@pytest.mark.parametrize("pair", ["A", "=1", "1A=2", "A B=1", "A=\0", "PATH=/x", "PYTHONPATH=/x"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match="--server-env") as caught:
        parse([pair])
    assert "\n" not in str(caught.value)


def test_what_is_told_of_an_environment() -> None:
    """What changes the speed, whoever set it; of the rest only the names that were asked for."""
    environment = {
        "UVICORN_LOOP": "asyncio",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "2",
        "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "5",
        "UVICORN_SSL_KEYFILE_PASSWORD": SECRET,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "HOME": "/root",
        "MINE": SECRET,
    }
    assert shown(environment, ["MINE"]) == {
        "UVICORN_LOOP": "asyncio",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "2",
        "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "5",
        "UVICORN_SSL_KEYFILE_PASSWORD": HIDDEN,
        "MINE": HIDDEN,
    }


def test_a_command_hides_values_that_may_be_secrets() -> None:
    words = ["run", "webserver", "--server-env", f"MINE={SECRET}", f"--server-env=KEY={SECRET}", "-u", "5"]
    words += ["--server-env", "OMP_NUM_THREADS=1"]
    shown = hidden_in(words)
    assert SECRET not in " ".join(shown)
    assert shown[-1] == "OMP_NUM_THREADS=1"
    assert shown[3:5] == [f"MINE={HIDDEN}", f"--server-env=KEY={HIDDEN}"]
    options = parser().parse_args(words)
    options.words = words
    assert SECRET not in Request.of(options).command


def test_the_command_of_a_run_from_python_hides_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scorebench.run` says in the recording how to run it again."""
    commands: list[str] = []
    monkeypatch.setattr(api_run, "_measure", lambda _asked, command: commands.append(command))
    api_run.run("webserver", server_env=[f"MINE={SECRET}", "OMP_NUM_THREADS=1"])
    (command,) = commands
    assert SECRET not in command
    assert f"MINE={HIDDEN}" in command
    assert "OMP_NUM_THREADS=1" in command


def test_a_server_that_is_not_ours_gets_none() -> None:
    options = parser().parse_args(["run", "http://localhost:5001", "--server-env", "OMP_NUM_THREADS=1"])
    options.words = []
    with pytest.raises(InputError, match="--server-env: http://localhost:5001 is started by you"):
        Request.of(options)


def test_the_processes_of_a_web_server_get_it() -> None:
    server = servers.create("webserver", model_uri="model", environment={"OMP_NUM_THREADS": "1"})
    assert isinstance(server, WebServer)
    variables = server._variables(sys.executable)
    assert (variables["OMP_NUM_THREADS"], variables["UVICORN_ACCESS_LOG"]) == ("1", "false")


def test_a_container_gets_it(tmp_path: Path) -> None:
    """What was asked for wins over what the kind sets itself."""
    wanted = {"OMP_NUM_THREADS": "1", "MLFLOW_MODELS_WORKERS": "3"}
    server = servers.create("docker", model_uri="model", environment=wanted, workers=2)
    assert isinstance(server, ContainerServer)
    assert server._options(tmp_path)["environment"] == wanted


def test_settings_that_differ_make_no_comparison() -> None:
    """Each of them is a line, with both values."""
    server = {"workers": 1, "uvloop": True, "httptools": True, "environment": {"OMP_NUM_THREADS": "1"}}
    other = {"workers": 2, "uvloop": False, "httptools": True, "environment": {"OMP_NUM_THREADS": "2"}}
    runs = [
        summarise(Recording(environment={"server": one, "processor": name}))
        for one, name in ((server, "A"), (other, "B"))
    ]
    assert mismatches(runs) == [
        "processor: A and B",
        "the server's workers: 1 and 2",
        "uvloop: True and False",
        "the server's variables: OMP_NUM_THREADS=1 and OMP_NUM_THREADS=2",
    ]
