"""A real model with a race: alone it is right, under load its answers change, and scorebench says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import scorebench

from scorebench import servers

_MODEL = """
import sys, time
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, save_model

class Racing(PythonModel):
    # The mistake: what belongs to a call is kept in the model, which all threads share.
    def predict(self, context, model_input, params=None):
        self.rows = model_input
        time.sleep(0.005)
        return self.rows.sum(axis=1)

rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 0.0, 0.0, 0.0]})
save_model(sys.argv[1], python_model=Racing(), signature=infer_signature(rows, rows.sum(axis=1)),
           input_example=rows, pip_requirements=[])
rows.to_csv(sys.argv[2], index=False)
"""


@pytest.mark.timeout(600)
def test_a_race_in_a_model_is_found(tmp_path: Path) -> None:
    """One user sees the same answers always; four users, each with other rows, get those of another call."""
    requirements.module("mlflow")
    script, model, rows = tmp_path / "make.py", str(tmp_path / "model"), str(tmp_path / "rows.csv")
    script.write_text(_MODEL)
    subprocess.run([sys.executable, str(script), model, rows], check=True, capture_output=True)
    summaries = []
    with servers.running(servers.create("webserver", model_uri=model, port=0)) as server:
        for users in ("1", "4"):
            folder = tmp_path / users
            folder.mkdir()
            words = ["--users", users, "--calls", "200", "--model", model, "--data", rows]
            summaries.append(scorebench(folder, "run", server.endpoint, *words).summary)
    alone, loaded = summaries
    assert alone["changed"] == 0
    assert loaded["changed"] > 0
    (found,) = [one for one in loaded["verdict"]["findings"] if one["code"] == "changed_under_load"]
    assert f"{loaded['changed']:,} answers" in found["text"]
    assert loaded["changed_example"]["first"] != loaded["changed_example"]["then"]
