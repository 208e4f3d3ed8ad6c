"""`scorebench matrix` on MLflow's own server: a cell that scores, and one that says why it can't."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import run_within

from scorebench.folders import folder
from scorebench.servers import ports


@pytest.mark.timeout(300)
def test_a_good_cell_and_a_failing_one(tmp_path: Path) -> None:
    """sklearn scores on the web server; a model with nothing to serve it gives the error's own last line."""
    requirements.module("mlflow")
    broken = tmp_path / ".models" / "mleap"
    broken.mkdir(parents=True)
    broken.joinpath("MLmodel").write_text(
        "flavors:\n  mleap:\n    mleap_version: 0.25.3\nmodel_size_bytes: 1\n"
    )
    words = ["--servers", "webserver", "--flavors", "sklearn,mleap", "--run-time", "3s", "--warm-up", "1s"]
    command = [sys.executable, "-m", "scorebench", "matrix", *words, "--port", str(ports.claim(0))]
    done = run_within(280, command, tmp_path)
    assert done.code == 0, done.err
    (path,) = (p.parent for p in done.reports.glob("*/matrix.json") if not p.parent.is_symlink())
    good, bad = json.loads((path / "matrix.json").read_text())["cells"]
    assert good["ok"]
    assert folder.read(path / "webserver-sklearn").measured.valid == good["valid"] > 10
    assert bad["error"] == "No suitable flavor backend was found for the model."
    assert "| OK " in done.out
    assert "| Error: No suitable flavor backend was found for the model. |" in done.out
    assert (path / "webserver-mleap" / "server.log").exists()
