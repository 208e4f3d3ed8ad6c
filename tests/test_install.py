"""`pip install .` alone, without an extra, load-tests a URL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT
from tests.requirements import require
from tests.scoring_server import scoring_server

EXTRAS = ("mlflow", "sklearn", "pyspark", "plotly", "botocore", "docker")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the core alone.

    Our own pip installs into it, and compiles nothing: what a run imports is compiled then.
    """
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    words = ["install", "-q", "--disable-pip-version-check", "--no-compile", str(ROOT)]
    done = subprocess.run([*pip, *words], capture_output=True, text=True, check=False)
    offline = done.returncode != 0 and "No matching distribution found" in done.stderr
    require("a package registry", not offline, "run with network access")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.mark.timeout(600)
def test_the_core_is_enough(clean: Path, tmp_path: Path) -> None:
    """No extra is installed, and a run against a URL leaves its folder."""
    code = f"import importlib.util as u; print([n for n in {EXTRAS} if u.find_spec(n)])"
    there = subprocess.run([clean / "python", "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == "[]"
    with scoring_server() as server:
        words = ["run", server.url, "--users", "2", "--calls", "50"]
        done = subprocess.run(
            [clean / "scorebench", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert len(server.log()) == 50
    assert done.returncode == 0, done.stderr
    latest = tmp_path / "reports" / "latest"
    assert json.loads((latest / "summary.json").read_text())["valid"] == 50
    assert '<svg class="chart"' in (latest / "report.html").read_text()  # its templates are in the wheel


@pytest.mark.timeout(600)
def test_what_needs_an_extra_names_it(clean: Path, tmp_path: Path) -> None:
    """Bringing up a server without MLflow is one line that names the extra, exit 2."""
    done = subprocess.run(
        [clean / "scorebench", "run", "webserver"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'mlflow>=3.10' 'scikit-learn>=1.5'" in done.stderr
    assert "Traceback" not in done.stderr
