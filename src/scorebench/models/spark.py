"""The SparkML demo model: VectorAssembler and DecisionTreeRegressor, by MLflow. Knows Spark; no server."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench import extras
from scorebench.errors import InputError
from scorebench.models.demo_data import LABEL, wine_table
from scorebench.models.scikit_learn import EXAMPLE_ROWS, TREE_DEPTH, new_model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SEED = 1
_PACKAGES = ("mlflow", "pyspark", "pandas", "numpy", "pyarrow")
"""What loads the model and scores. Named, they need not be found out by loading it in a second process."""


def make_spark(directory: str | Path) -> Path:
    """A SparkML tree on the demo's table, with signature and input example; the directory it was saved to.

    A model that is there is replaced. InputError without the extras `mlflow` and `spark`, or without Java.
    """
    require_spark()
    import mlflow.spark
    from mlflow.models import infer_signature

    table = wine_table().astype("float64")
    features = table.drop(columns=LABEL)
    session = start_spark()
    try:
        model = fit_spark(session, table)
        with new_model(directory) as folder:
            mlflow.spark.save_model(
                model,
                str(folder),
                signature=infer_signature(
                    features, predict_spark(session, model, features.head(EXAMPLE_ROWS))
                ),
                input_example=features.head(EXAMPLE_ROWS),
                pip_requirements=[f"{name}=={version(name)}" for name in _PACKAGES],
            )
    finally:
        session.stop()
    return Path(directory)


def fit_spark(session: Any, table: pd.DataFrame) -> Any:
    """The fitted pipeline itself; the same table gives the same one."""
    columns = [column for column in table.columns if column != LABEL]
    return _pipeline(columns).fit(session.createDataFrame(table))


def predict_spark(session: Any, model: Any, features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The pipeline's own predictions, one a row, in the rows' order."""
    import numpy

    scored = model.transform(session.createDataFrame(features)).select("prediction").collect()
    return numpy.array([row.prediction for row in scored])


def require_spark() -> None:
    """InputError, with the cure, unless Spark can be imported and started."""
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("mlflow") is None:
        raise InputError(f"a SparkML model needs PySpark and MLflow; {extras.install('mlflow', 'spark')}")
    require_java("a SparkML model")


def require_java(who: str) -> None:
    """InputError unless the Java that Spark would take starts: JAVA_HOME's, else the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else shutil.which("java")
    cure = "install a JRE (Debian: openjdk-17-jre-headless) or set JAVA_HOME"
    if program is None:
        raise InputError(f"{who} needs Java 17 or newer, and no java is on the PATH; {cure}")
    try:
        subprocess.run([program, "-version"], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(f"{program}: this Java does not start ({error}); {cure}") from None


def start_spark() -> Any:
    """A session with one slot, no page, and nothing that listens beyond this machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("scorebench-model")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _pipeline(columns: list[str]) -> Any:
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import DecisionTreeRegressor

    return Pipeline(
        stages=[
            VectorAssembler(inputCols=columns, outputCol="features"),
            DecisionTreeRegressor(featuresCol="features", labelCol=LABEL, maxDepth=TREE_DEPTH, seed=SEED),
        ]
    )
