"""`mlflow models serve` with timings: a load test of a model that sleeps says where its time goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import scorebench

from scorebench import servers

SLEEP_S = 0.02
_MODEL = """
import sys, time
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, save_model

class Sleeper(PythonModel):
    def predict(self, context, model_input, params=None):
        time.sleep({sleep_s})
        return model_input.sum(axis=1)

rows = pd.DataFrame({{"a": [1.0], "b": [2.0]}})
save_model(sys.argv[1], python_model=Sleeper(), signature=infer_signature(rows, rows.sum(axis=1)),
           input_example=rows, pip_requirements=[])
"""


@pytest.mark.timeout(600)
def test_a_model_that_sleeps_does_so_in_predict(tmp_path: Path) -> None:
    """20 ms of sleep are in `predict`; of no other part was the fastest call that slow, on any machine.

    The parts add up to the response time of the same calls, whose mean the histogram has too.
    """
    requirements.module("mlflow")
    script = tmp_path / "make.py"
    script.write_text(_MODEL.format(sleep_s=SLEEP_S))
    subprocess.run([sys.executable, str(script), str(tmp_path / "model")], check=True, capture_output=True)
    model = str(tmp_path / "model")
    with servers.running(servers.create("webserver", model_uri=model, port=0, timings=True)) as server:
        words = ["--timings", "--users", "1", "--calls", "40", "--model", model]
        done = scorebench(tmp_path, "run", server.endpoint, *words)
    assert done.code == 0, done.err
    stages = done.summary["stages"]
    assert (stages["calls"], stages["told"], stages["refused"]) == (40, 40, 0)
    fastest_s = {part: one["min_s"] for part, one in stages["parts"].items()}
    assert fastest_s["predict"] >= SLEEP_S
    assert {part for part, seconds in fastest_s.items() if seconds >= SLEEP_S / 2} == {"predict"}
    assert set(fastest_s) >= {"read", "queue", "parse", "schema", "predict", "write", "around"}
    assert sum(stages["mean_s"].values()) == pytest.approx(done.summary["response_time_s"]["mean"], rel=1e-3)
    assert len(stages["workers"]) == 1
