"""The Python that serves a model: what it has and what it lacks, asked of a real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from scorebench import extras, servers
from scorebench.errors import InputError
from scorebench.servers.interpreter import Interpreter, interpreter

MLMODEL = "flavors: {python_function: {loader_module: none}}"


def test_a_python_tells_what_it_has() -> None:
    """This one has pytest; names are compared as indexes do; lines with conditions are not judged."""
    here = interpreter(None)
    assert here.path == sys.executable
    assert here.version("pytest") == pytest.__version__
    listed = ["# comment", "PyTest==1", "no_such.package>=2", "-r other.txt", "nothing; python_version < '3'"]
    assert here.lacks(listed) == ["no_such.package"]


@pytest.mark.parametrize("python", ["/no/such/python", "/bin/false", "/bin/true"])
def test_what_is_no_python_is_refused(python: str) -> None:
    """One line with the option."""
    with pytest.raises(InputError, match=f"--python {python}: can't be started"):
        interpreter(Path(python))


def test_a_package_that_is_missing_is_named_before_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the Python that lacks it, and two ways out."""
    (tmp_path / "MLmodel").write_text(MLMODEL)
    (tmp_path / "requirements.txt").write_text("mlflow==3\nxgboost==1\n")
    has = Interpreter("/opt/python", "3.11.1", {"mlflow": "3"})
    monkeypatch.setattr("scorebench.servers.web_server.interpreter", lambda _: has)
    server = servers.create("webserver", model_uri=str(tmp_path), port=0)
    with pytest.raises(
        InputError, match=r"needs xgboost, which /opt/python lacks; .*--python.*--env-manager"
    ):
        server.start()
    monkeypatch.setattr(
        "scorebench.servers.web_server.interpreter", lambda _: Interpreter("/opt/python", "3.11.1", {})
    )
    with pytest.raises(InputError, match="/opt/python has no MLflow; pip install 'mlflow"):
        server.start()


@pytest.mark.parametrize(
    ("kind", "wanted", "said"),
    [
        ("webserver", {"python": Path("p"), "env_manager": "uv"}, "--python p: --env-manager uv makes"),
        ("docker", {"python": Path("p")}, "--python p: the image brings its own"),
        ("sagemaker", {"env_manager": "uv"}, "--env-manager uv: the image brings its own"),
        ("webserver", {"base_image": "i"}, "--base-image i: webserver has no image"),
        ("webserver", {"timings": True, "env_manager": "uv"}, "--timings: needs scorebench beside"),
    ],
)
def test_what_a_kind_would_ignore_is_refused(kind: str, wanted: dict[str, Any], said: str) -> None:
    """An option of another kind of server."""
    with pytest.raises(InputError, match=said):
        servers.create(kind, model_uri="m", **wanted)


def test_an_extra_is_installed_by_its_packages() -> None:
    """As pyproject.toml lists them: the command works for a clone, a wheel and a registry."""
    assert extras.packages("plots") == ["plotly>=6"]
    assert extras.install("mlflow", "plots") == "pip install 'mlflow>=3.10' 'scikit-learn>=1.5' 'plotly>=6'"
    assert extras.packages("nothing") == []
