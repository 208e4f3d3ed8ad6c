"""Fit a Spark pipeline and have MLflow 2 save it with the flavors spark, python_function and mleap.

Runs in the environment that requirements.txt beside it locks, never in scorebench's: MLflow 3 has no MLeap.

    python make.py JARS_FOLDER ROWS_CSV LABEL TREE_DEPTH OUTPUT_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# What MLeap 0.16 needs beside Spark 3.5's own jars; its other dependencies are Spark 2.4's and would clash.
BESIDE_SPARK = (
    "bundle-", "mleap-", "config-", "lenses_", "scala-arm_", "scalapb-", "spray-json_",
    "protobuf-java-", "fastparse", "sourcecode_",
)  # fmt: skip
# mlflow-scoring 1.20.0 fails to start on a key that it doesn't know.
KNOWN_KEYS = ("artifact_path", "flavors", "run_id", "utc_time_created")


def main(jars: str, rows_csv: str, label: str, depth: str, output: str) -> None:
    import mlflow.spark
    import pandas as pd

    session = start_spark(Path(jars))
    frame = session.createDataFrame(pd.read_csv(rows_csv, float_precision="round_trip").astype("float64"))
    model = pipeline([column for column in frame.columns if column != label], label, int(depth)).fit(frame)
    mlflow.spark.save_model(model, output, sample_input=frame.drop(label))
    keep_known_keys(Path(output) / "MLmodel")
    session.stop()


def start_spark(jars: Path) -> Any:
    from pyspark.sql import SparkSession

    # conf/application.conf names the operators in use: with Spark 3.5 MLeap's whole list fails on breeze.
    path = [
        Path(__file__).parent / "conf",
        *(j for j in sorted(jars.iterdir()) if j.name.startswith(BESIDE_SPARK)),
    ]
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.extraClassPath", ":".join(map(str, path)))
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )


def pipeline(columns: list[str], label: str, depth: int) -> Any:
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import DecisionTreeRegressor

    tree = DecisionTreeRegressor(featuresCol="features", labelCol=label, maxDepth=depth, seed=1)
    return Pipeline(stages=[VectorAssembler(inputCols=columns, outputCol="features"), tree])


def keep_known_keys(mlmodel: Path) -> None:
    kept, keep = [], True
    for line in mlmodel.read_text().splitlines(keepends=True):
        if not line.startswith((" ", "-")):
            keep = line.split(":")[0] in KNOWN_KEYS
        if keep:
            kept.append(line)
    mlmodel.write_text("".join(kept))


if __name__ == "__main__":
    main(*sys.argv[1:])
