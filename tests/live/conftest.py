"""The demo's models, made once a session, and the rows and own predictions that every server is held to."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests import requirements

from scorebench.demo import LABEL, wine_table

ROWS = 40
"""Rows that are compared one by one."""
_PREDICT = "import json, sys, scorebench.{module} as m, pandas as pd\n{code}"


@dataclass(frozen=True)
class Demo:
    """A model folder and what the model itself, without MLflow or a server, says of the first rows."""

    folder: Path
    predictions: tuple[float, ...]


@dataclass(frozen=True)
class Reply:
    """What a server answered to one POST /invocations."""

    status: int
    body: bytes

    def predictions(self) -> list[float]:
        """The numbers, bare or under the key `predictions`."""
        found = json.loads(self.body)
        found = found["predictions"] if isinstance(found, dict) else found
        return [float(value) for value in found]


@pytest.fixture(scope="session")
def rows() -> dict[str, Any]:
    """The first rows of the demo as a split object, all numbers floats, as the Java server wants them."""
    features = wine_table().drop(columns=LABEL).astype("float64").head(ROWS)
    return {"columns": list(features.columns), "data": features.to_numpy().tolist()}


@pytest.fixture(scope="session")
def sklearn_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The scikit-learn tree; its own predictions are scikit-learn's, of the tree as it was saved."""
    pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("models") / "sklearn"
    code = """
from sklearn.tree import DecisionTreeRegressor
from scorebench.demo import LABEL, wine_table
import mlflow.sklearn
m.make_sklearn(sys.argv[1])
tree = mlflow.sklearn.load_model(sys.argv[1])
assert isinstance(tree, DecisionTreeRegressor)
print(json.dumps(tree.predict(wine_table().drop(columns=LABEL).head(int(sys.argv[2]))).tolist()))
"""
    return _make(folder, "models", code)


@pytest.fixture(scope="session")
def spark_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The SparkML tree; its own predictions from a second fit, in Spark itself."""
    requirements.java()
    pytest.importorskip("pyspark")
    folder = tmp_path_factory.mktemp("models") / "spark"
    code = """
from scorebench.demo import LABEL, wine_table
m.make_spark(sys.argv[1])
session = m.start_spark()
table = wine_table().astype("float64")
own = m.predict_spark(session, m.fit_spark(session, table), table.drop(columns=LABEL).head(int(sys.argv[2])))
print(json.dumps(own.tolist()))
"""
    return _make(folder, "models_spark", code)


@pytest.fixture(scope="session")
def mleap_model(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The MLeap bundle; its own predictions are those of the scikit-learn pipeline it was made from."""
    pytest.importorskip("mleap")
    folder = tmp_path_factory.mktemp("models") / "mleap"
    code = """
from scorebench.demo import LABEL, wine_table
m.make_mleap(sys.argv[1])
own = m.fit_mleap(wine_table()).predict(wine_table().drop(columns=LABEL).head(int(sys.argv[2])))
print(json.dumps(own.tolist()))
"""
    return _make(folder, "models_mleap", code)


@pytest.fixture(scope="session")
def mleap_spark_model(tmp_path_factory: pytest.TempPathFactory, spark_model: Demo) -> Demo:
    """One Spark pipeline with the flavors spark, python_function and mleap; fit as the SparkML model is."""
    requirements.java()
    requirements.program("mvn", "install Maven (Debian: maven)")
    folder = tmp_path_factory.mktemp("models") / "mleap-spark"
    code = "m.make_mleap_spark(sys.argv[1]); print('[]')"
    return Demo(_make(folder, "models_mleap", code).folder, spark_model.predictions)


def post(url: str, body: object, content_type: str = "application/json") -> Reply:
    """One POST to `url`/invocations; `body` is sent as it is if it is bytes, else as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
    try:
        connection.request("POST", "/invocations", payload, {"Content-Type": content_type})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read())
    finally:
        connection.close()


def assert_predicts(url: str, rows: dict[str, Any], own: Sequence[float], wrapped: bool = True) -> None:
    """The server's predictions are the model's own: all rows in one call, and the first of them one by one.

    wrapped: as MLflow 2 and 3 take it (`dataframe_split`); else the bare split object of the Java server.
    """
    assert len(own) == len(rows["data"]) > 0
    together = post(url, _body(rows["columns"], rows["data"], wrapped))
    assert (together.status, together.predictions()) == (200, list(own))
    for row, expected in list(zip(rows["data"], own, strict=True))[:5]:
        alone = post(url, _body(rows["columns"], [row], wrapped))
        assert (alone.status, alone.predictions()) == (200, [expected])


def _body(columns: list[str], data: list[list[float]], wrapped: bool) -> dict[str, Any]:
    split = {"columns": columns, "data": data}
    return {"dataframe_split": split} if wrapped else split


def _make(folder: Path, module: str, code: str) -> Demo:
    """Run in a process of its own: Spark's Java ends with it, MLeap's changes to scikit-learn stay in it."""
    script = folder.parent / "make_model.py"  # not `-c`: PySpark 4 would take it for a doctest, and leave
    script.write_text(_PREDICT.format(module=module, code=code))
    command = [sys.executable, str(script), str(folder), str(ROWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Demo(folder, tuple(json.loads(done.stdout.splitlines()[-1])))
