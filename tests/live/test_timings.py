"""`mlflow models serve` with timings: load tests of models that are slow for a reason name that reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import requirements
from tests.commands import scorebench

from scorebench import servers

SLEEP_S = 0.02
COLUMNS = 600
_SLEEPS = (f"time.sleep({SLEEP_S}); return model_input.sum(axis=1)", 2)
_IS_WIDE = ("return [0.0] * len(model_input)", COLUMNS)
_MODEL = """
import sys, time
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, save_model

class Mine(PythonModel):
    def predict(self, context, model_input, params=None):
        {predict}

rows = pd.DataFrame({{f"c{{n}}": [1.5] for n in range({columns})}})
save_model(sys.argv[1], python_model=Mine(), signature=infer_signature(rows, rows.sum(axis=1)),
           input_example=rows, pip_requirements=[])
"""


@pytest.mark.timeout(600)
def test_a_model_that_sleeps_does_so_in_predict(tmp_path: Path) -> None:
    """20 ms of sleep are in `predict`; of no other part was the fastest call that slow, on any machine.

    The parts add up to the response time of the same calls, whose mean the histogram has too.
    """
    summary = _measured(tmp_path, *_SLEEPS)
    stages = summary["stages"]
    assert (stages["calls"], stages["told"], stages["refused"]) == (40, 40, 0)
    fastest_s = {part: one["min_s"] for part, one in stages["parts"].items()}
    assert fastest_s["predict"] >= SLEEP_S
    assert {part for part, seconds in fastest_s.items() if seconds >= SLEEP_S / 2} == {"predict"}
    assert set(fastest_s) >= {"read", "queue", "parse", "schema", "predict", "write", "around"}
    assert sum(stages["mean_s"].values()) == pytest.approx(summary["response_time_s"]["mean"], rel=1e-3)
    assert len(stages["workers"]) == 1
    median = stages["typical"]["p50"]
    assert median["low_s"] <= summary["response_time_s"]["p50"] <= median["high_s"]
    assert sum(median["parts_s"].values()) == pytest.approx(median["mean_s"])
    assert median["low_s"] <= median["mean_s"] <= median["high_s"]


@pytest.mark.timeout(600)
def test_a_model_of_600_columns_shows_where_they_cost(tmp_path: Path) -> None:
    """MLflow makes and checks one column after the other; the model itself does nothing.

    So parsing and schema cost more than any other part. By the fastest call of each, so that another
    program's turn in one part counts for none.
    """
    stages = _measured(tmp_path, *_IS_WIDE)["stages"]
    fastest_s = {part: one["min_s"] for part, one in stages["parts"].items()}
    assert set(sorted(fastest_s, key=lambda part: fastest_s[part])[-2:]) == {"parse", "schema"}, fastest_s
    assert fastest_s["parse"] + fastest_s["schema"] > 5 * fastest_s["predict"], fastest_s


def _measured(folder: Path, predict: str, columns: int) -> dict[str, Any]:
    """The summary of a run of one user against such a model."""
    requirements.module("mlflow")
    script, model = folder / "make.py", str(folder / "model")
    script.write_text(_MODEL.format(predict=predict, columns=columns))
    subprocess.run([sys.executable, str(script), model], check=True, capture_output=True)
    with servers.running(servers.create("webserver", model_uri=model, port=0, timings=True)) as server:
        words = ["--timings", "--users", "1", "--calls", "40", "--model", model]
        done = scorebench(folder, "run", server.endpoint, *words)
    assert done.ends_with(0), done.err
    return done.summary
