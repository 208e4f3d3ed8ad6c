"""A model that kills its worker: the call has failed, and its row is never sent to the next worker."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import run_within

pytestmark = pytest.mark.timeout(600)
MODEL = """
import os, signal
from mlflow.pyfunc import PythonModel
from mlflow.models import set_model

class Deadly(PythonModel):
    def predict(self, context, model_input, params=None):
        with open({log!r}, "a") as log:
            log.write("".join(f"{{value}}\\n" for value in model_input["x"]))
        if {deadly} in list(model_input["x"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return model_input["x"]

set_model(Deadly())
"""
ROWS, DEADLY = 300, 150


def test_a_row_that_kills_its_worker_is_sent_once(tmp_path: Path) -> None:
    """The model's own log has each row once at most, the deadly one too; what has no answer has failed."""
    requirements.module("mlflow")
    import mlflow.pyfunc

    log = tmp_path / "predicted.log"
    code = tmp_path / "deadly.py"
    code.write_text(MODEL.format(log=str(log), deadly=DEADLY))
    mlflow.pyfunc.save_model(str(tmp_path / "model"), python_model=str(code))
    (tmp_path / "rows.csv").write_text("x\n" + "".join(f"{number}\n" for number in range(ROWS)))
    command = [
        sys.executable,
        "-m",
        "scorebench",
        "run",
        "webserver",
        "--model-uri",
        "model",
        "--workers",
        "2",
    ]
    command += ["--port", "0", "--users", "4", "--iterations", "1", "--data", "rows.csv"]
    done = run_within(500, command, tmp_path)
    assert done.code == 1, done.err
    predicted = [int(line) for line in log.read_text().split()]
    assert predicted.count(DEADLY) == 1
    assert len(set(predicted)) == len(predicted)
    (summary,) = tmp_path.glob("reports/2*/summary.json")
    found = json.loads(summary.read_text())
    account = found["accounting"]
    assert account["due"] == ROWS
    assert account["valid"] + account["failed"] == ROWS
    assert account["failed"] >= 1
    assert account["valid"] <= len(predicted)
