"""Text files of a model that MLflow has to fetch. Knows MLflow's URIs; nothing of signatures."""

from __future__ import annotations

import logging
from pathlib import Path

from scorebench import extras
from scorebench.errors import InputError, in_one_line

SQLITE = "sqlite:///"
REGISTERED = ("models:/", "runs:/")
"""These lead through MLflow's database or server."""


def is_uri(model: str) -> bool:
    """Whether MLflow has to fetch the model: models:/…, runs:/…, s3://…; all else is a local path."""
    return "://" in model or model.startswith((*REGISTERED, "mlflow-artifacts:/"))


def fetch_text(uri: str, name: str) -> str:
    """The text of the file `name` of the model. InputError where MLflow can't fetch it."""
    try:
        from mlflow.artifacts import load_text
    except ImportError:
        raise InputError(
            f"{uri}: fetching it needs MLflow; {extras.install('mlflow')}, or give a model directory"
        ) from None
    if uri.startswith(REGISTERED):
        _refuse_an_empty_place(uri)
    # A registry of an older version logs each step by which it is brought up to date; an error is one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    try:
        return str(load_text(f"{uri}/{name}"))
    except Exception as error:  # every store has errors of its own, down to those of its HTTP library
        problem = in_one_line(str(error))
        raise InputError(f"{uri}: MLflow could not fetch {name}: {problem}; check the URI") from None


def _refuse_an_empty_place(uri: str) -> None:
    """InputError where no registry is there: MLflow would make an empty one here, and leave it."""
    import mlflow

    models = uri.startswith("models:/")
    place = str(mlflow.get_registry_uri() if models else mlflow.get_tracking_uri())
    if not place.startswith(SQLITE) or Path(place.removeprefix(SQLITE).partition("?")[0]).exists():
        return
    what = "model registry" if models else "MLflow runs"
    raise InputError(
        f"{uri}: found no {what} at {place}; set MLFLOW_TRACKING_URI to the MLflow server that has it, "
        "or give a model directory"
    )
