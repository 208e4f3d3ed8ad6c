"""The MLeap demo models: from scikit-learn without Spark, and from a Spark pipeline. Knows no server."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench import extras
from scorebench.errors import InputError
from scorebench.models.demo_data import LABEL, wine_table
from scorebench.models.scikit_learn import EXAMPLE_ROWS, TREE_DEPTH, new_model
from scorebench.models.spark import require_java

if TYPE_CHECKING:
    import pandas as pd

SEED = 1
Say = Callable[[str], None]
"""Called with a progress text, such as `installing MLflow 2 and PySpark 3.5`."""

_SPARK = Path(__file__).parent / "mleap_spark"
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


def make_mleap(directory: str | Path) -> Path:
    """A scikit-learn tree on the demo's table, as an MLeap bundle; the directory it was saved to.

    A model that is there is replaced. It has the flavor `mleap` alone and is what MLflow 2's saver writes,
    with the keys that the Java server 1.20.0 knows. InputError without the extra `mleap`.
    """
    table = wine_table()
    pipeline = fit_mleap(table)
    with new_model(directory) as folder:
        _write(pipeline, folder)
        head = table.drop(columns=LABEL).astype("float64").head(EXAMPLE_ROWS)
        example = {"columns": list(head.columns), "data": head.to_numpy().tolist()}
        (folder / "input_example.json").write_text(json.dumps(example))
    return Path(directory)


def _write(pipeline: Any, directory: Path) -> None:
    (directory / "mleap").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:  # the serialiser leaves a model.zip beside the bundle
        pipeline.serialize_to_bundle(work, "model", init=True)
        shutil.move(Path(work) / "model", directory / "mleap" / "model")
    (directory / "MLmodel").write_text(
        "flavors:\n  mleap:\n"
        f"    mleap_version: {importlib.metadata.version('mleap')}\n    model_data: mleap/model\n"
        "utc_time_created: '2021-08-26 00:00:00.000000'\n"  # fixed, so that remakes are equal
    )


def fit_mleap(table: pd.DataFrame) -> Any:
    """The fitted scikit-learn pipeline itself; the same table gives the same one."""
    if importlib.util.find_spec("mleap") is None:
        raise InputError(f"an MLeap model needs MLeap and scikit-learn; {extras.install('mlflow', 'mleap')}")
    import mleap.sklearn.pipeline  # adds serialize_to_bundle to Pipeline
    import mleap.sklearn.tree.tree  # noqa: F401 adds it to DecisionTreeRegressor
    from mleap.sklearn.preprocessing.data import FeatureExtractor
    from sklearn.pipeline import Pipeline
    from sklearn.tree import DecisionTreeRegressor

    features = table.drop(columns=LABEL).astype("float64")
    columns = list(features.columns)
    assemble = FeatureExtractor(input_scalars=columns, output_vector="features", output_vector_items=columns)
    tree = DecisionTreeRegressor(max_depth=TREE_DEPTH, random_state=SEED)
    # The Java server returns the column named "prediction", and no other.
    tree.mlinit(input_features="features", prediction_column="prediction", feature_names=columns)
    pipeline = Pipeline([("assemble", assemble), ("tree", tree)])
    pipeline.mlinit()
    assemble.name, tree.name, pipeline.name = "assemble", "tree", "pipeline"  # MLeap's own are random
    return pipeline.fit(features, table[LABEL])


def make_mleap_spark(directory: str | Path, cache: Path | None = None, say: Say | None = None) -> Path:
    """As `make_mleap`, from a Spark pipeline, with the flavors spark and python_function beside mleap.

    Made by MLflow 2, in an environment of its own that the first call installs into `cache` (minutes, 1 GB).
    InputError without Java or Maven, or when a step fails, with its last line.
    """
    require_java("an MLeap model from Spark")
    if shutil.which("mvn") is None:
        raise InputError("an MLeap model from Spark needs Maven; install it (Debian: maven) for MLeap's jars")
    tell = say or (lambda _line: None)
    environment = _environment(cache or _cache_folder(), tell)
    tell("fitting the Spark pipeline")
    make = [environment / "venv/bin/python", _SPARK / "make.py", environment / "jars"]
    with tempfile.TemporaryDirectory() as work, new_model(directory) as folder:
        table = Path(work) / "rows.csv"
        wine_table().to_csv(table, index=False)
        _run([*make, table, LABEL, str(TREE_DEPTH), folder], "the Spark pipeline")
    return Path(directory)


def _environment(cache: Path, tell: Say) -> Path:
    """The folder with `venv` and `jars`, installed if it is not there. What it is made of names it."""
    recipe = [_SPARK / "requirements.txt", _SPARK / "pom.xml"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in recipe) + sys.version.encode()).hexdigest()
    folder = cache / f"mleap-spark-{digest[:12]}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    tell("installing MLflow 2 and PySpark 3.5 into an environment of their own")
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    python = folder / "venv/bin/python"
    _run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", _SPARK / "requirements.txt"], "pip")
    tell("fetching MLeap's jars")
    output = f"-DoutputDirectory={folder / 'jars'}"
    _run(
        ["mvn", "-B", "-q", "-f", _SPARK / "pom.xml", _MAVEN_COPY, "-DincludeScope=runtime", output], "Maven"
    )
    (folder / "complete").touch()
    return folder


def _run(command: list[str | Path], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise InputError(
            f"{what} failed with status {done.returncode}: {lines[-1] if lines else 'no output'}"
        )


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorebench"
