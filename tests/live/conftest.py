"""The demo's models, made once a process, with their own predictions of the demo's first rows.

With xdist (`-n 2`), the tests that look at an engine's containers run one after the other in one process, and
the others beside them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import requirements
from tests.live.scoring import Demo
from xdist.scheduler.loadfile import LoadFileScheduling

from scorebench.models.demo_data import LABEL, wine_table

ONE_AFTER_THE_OTHER = ("test_compose", "test_containers", "test_matrix", "test_mleap")
"""Look at what containers there are."""
ROWS = 40
"""Rows that are compared one by one."""
_PREDICT = "import json, sys, scorebench.{module} as m, pandas as pd\n{code}"


class OneEngine(LoadFileScheduling):  # type: ignore[misc]
    """A file a process, as with `--dist loadfile`, and the files of one engine in the same."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "containers" if Path(file).stem in ONE_AFTER_THE_OTHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneEngine:
    return OneEngine(config, log)


@pytest.fixture(scope="session")
def rows() -> dict[str, Any]:
    """The first rows of the demo as a split object, all numbers floats, as the Java server wants them."""
    features = wine_table().drop(columns=LABEL).astype("float64").head(ROWS)
    return {"columns": list(features.columns), "data": features.to_numpy().tolist()}


@pytest.fixture(scope="session")
def sklearn_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The scikit-learn tree; its own predictions are scikit-learn's, of the tree as it was saved."""
    requirements.module("mlflow")
    folder = tmp_path_factory.mktemp("models") / "sklearn"
    code = """
from sklearn.tree import DecisionTreeRegressor
from scorebench.models.demo_data import LABEL, wine_table
import mlflow.sklearn
m.make_sklearn(sys.argv[1])
tree = mlflow.sklearn.load_model(sys.argv[1])
assert isinstance(tree, DecisionTreeRegressor)
print(json.dumps(tree.predict(wine_table().drop(columns=LABEL).head(int(sys.argv[2]))).tolist()))
"""
    return _make(folder, "models.scikit_learn", code)


@pytest.fixture(scope="session")
def spark_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The SparkML tree; its own predictions from a second fit, in Spark itself."""
    requirements.java()
    requirements.module("pyspark")
    folder = tmp_path_factory.mktemp("models") / "spark"
    code = """
from scorebench.models.demo_data import LABEL, wine_table
m.make_spark(sys.argv[1])
session = m.start_spark()
table = wine_table().astype("float64")
own = m.predict_spark(session, m.fit_spark(session, table), table.drop(columns=LABEL).head(int(sys.argv[2])))
print(json.dumps(own.tolist()))
"""
    return _make(folder, "models.spark", code)


@pytest.fixture(scope="session")
def mleap_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The MLeap bundle; its own predictions are those of the scikit-learn pipeline it was made from."""
    requirements.module("mleap")
    folder = tmp_path_factory.mktemp("models") / "mleap"
    code = """
from scorebench.models.demo_data import LABEL, wine_table
m.make_mleap(sys.argv[1])
own = m.fit_mleap(wine_table()).predict(wine_table().drop(columns=LABEL).head(int(sys.argv[2])))
print(json.dumps(own.tolist()))
"""
    return _make(folder, "models.mleap", code)


@pytest.fixture(scope="session")
def mleap_spark_model(tmp_path_factory: pytest.TempPathFactory, spark_model: Demo) -> Demo:
    """One Spark pipeline with the flavors spark, python_function and mleap; fit as the SparkML model is."""
    requirements.java()
    requirements.program("mvn", "install Maven (Debian: maven)")
    folder = tmp_path_factory.mktemp("models") / "mleap-spark"
    code = "m.make_mleap_spark(sys.argv[1]); print('[]')"
    return Demo(_make(folder, "models.mleap", code).folder, spark_model.predictions)


def _make(folder: Path, module: str, code: str) -> Demo:
    """Run in a process of its own: Spark's Java ends with it, MLeap's changes to scikit-learn stay in it."""
    script = folder.parent / "make_model.py"  # not `-c`: PySpark 4 would take it for a doctest, and leave
    script.write_text(_PREDICT.format(module=module, code=code))
    command = [sys.executable, str(script), str(folder), str(ROWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Demo(folder, tuple(json.loads(done.stdout.splitlines()[-1])))
