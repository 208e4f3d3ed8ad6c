"""The demo's models, made and saved with MLflow: scikit-learn. Knows MLflow's savers; no server.

MLflow and scikit-learn are imported when a model is made (the extra `mlflow`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from scorebench import extras
from scorebench.errors import InputError
from scorebench.models.demo_data import LABEL, wine_table
from scorebench.payloads.signature import MLMODEL

EXAMPLE_ROWS = 5
TREE_DEPTH = 6
"""Small on purpose: what is measured is the server, and every flavor of the demo has a tree of this depth."""
_TREE_SEED = 1


def make_sklearn(directory: str | Path) -> Path:
    """A decision tree on the demo's table, with signature and input example; the directory it was saved to.

    A model that is there is replaced. Raises InputError where MLflow is not installed, or where the
    directory cannot be written or holds something else.
    """
    try:
        import mlflow.sklearn
        from mlflow.models import infer_signature
        from sklearn.tree import DecisionTreeRegressor
    except ImportError as error:
        raise InputError(
            f"models make sklearn: {error.name} is not installed; {extras.install('mlflow')}"
        ) from None

    table = wine_table()
    features = table.drop(columns=LABEL)
    tree = DecisionTreeRegressor(max_depth=TREE_DEPTH, random_state=_TREE_SEED).fit(features, table[LABEL])
    with new_model(directory) as folder:
        mlflow.sklearn.save_model(
            tree,
            str(folder),
            signature=infer_signature(features, tree.predict(features)),
            input_example=features.head(EXAMPLE_ROWS),
            # skops loads a tree only where its type is said to be trusted; without, the saving fails.
            serialization_format="skops",
            skops_trusted_types=["sklearn.tree._tree.Tree"],
            # Named here, they need not be found out by loading the model in a second process.
            pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "scikit-learn", "skops")],
        )
    return Path(directory)


@contextmanager
def new_model(directory: str | Path) -> Iterator[Path]:
    """A path to save a model to, which becomes `directory` when the block ends well.

    Until then the name keeps its old content: a failure or a kill leaves no half of a model. Raises
    InputError where `directory` holds something that is no model.
    """
    directory = Path(directory)
    _refuse_other_content(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise InputError(
            f"{directory}: cannot be written ({error.strerror}); choose another folder"
        ) from None
    try:
        yield scratch / "new"
        if directory.exists():
            directory.rename(scratch / "old")
        (scratch / "new").rename(directory)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_other_content(directory: Path) -> None:
    if not directory.exists() or (directory / MLMODEL).is_file():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise InputError(f"{directory}: exists and is not a model; use a new or empty folder")
