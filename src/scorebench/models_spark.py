"""The SparkML demo model: VectorAssembler and DecisionTreeRegressor, by MLflow. Knows Spark; no server."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MAX_DEPTH = 5
SEED = 7


def make_spark(directory: Path, rows: pd.DataFrame, label: str) -> Path:
    """Fit on `rows`, whose column `label` is to be predicted, and write an MLflow model folder.

    InputError without the extra `spark` or without Java. The folder must not exist, or be empty.
    """
    require_spark()
    import mlflow.spark
    from mlflow.models import infer_signature

    with_label = rows.astype("float64")
    features = with_label.drop(columns=[label])
    session = _session()
    try:
        model = _pipeline(list(features.columns), label).fit(session.createDataFrame(with_label))
        head = features.head(20)
        own = model.transform(session.createDataFrame(head)).toPandas()["prediction"].to_numpy()
        mlflow.spark.save_model(
            model, str(directory), signature=infer_signature(head, own), input_example=head.head(2)
        )
    finally:
        session.stop()
    return directory


def require_spark() -> None:
    """InputError, with the cure, unless Spark can be imported and started."""
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("mlflow") is None:
        raise InputError("a SparkML model needs PySpark and MLflow; pip install 'scorebench[mlflow,spark]'")
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


def _session() -> Any:
    from pyspark.sql import SparkSession

    # One slot, no page, nothing that listens beyond this machine.
    builder = SparkSession.builder.master("local[1]").appName("scorebench-model")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _pipeline(columns: list[str], label: str) -> Any:
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import DecisionTreeRegressor

    return Pipeline(
        stages=[
            VectorAssembler(inputCols=columns, outputCol="features"),
            DecisionTreeRegressor(featuresCol="features", labelCol=label, maxDepth=MAX_DEPTH, seed=SEED),
        ]
    )
