"""What an MLflow server hands to its model: MLflow's own parsers, then its schema enforcement.

Knows MLflow's scoring server and types; nothing of how scorebench makes bodies.
"""

from __future__ import annotations

import datetime
import importlib.util
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.requirements import require

if TYPE_CHECKING:
    from scorebench.payloads.payload import Payload


UNREAD = ("split-1x", "v2", "azure")
"""Body formats that MLflow's scoring server does not read. A new one of another server belongs here."""


def require_mlflow() -> None:
    """Skip where MLflow is not installed."""
    require("mlflow", importlib.util.find_spec("mlflow") is not None, "pip install '.[mlflow]'")


def parsed(body: bytes, content_type: str, schema: Any = None) -> Any:
    """The body as the server's parser leaves it: a DataFrame, or what `instances` and `inputs` become."""
    from mlflow.pyfunc import scoring_server

    if content_type == scoring_server.CONTENT_TYPE_CSV:
        return scoring_server.parse_csv_input(io.StringIO(body.decode("utf-8")), schema)
    if content_type == scoring_server.CONTENT_TYPE_PARQUET:
        return scoring_server.parse_parquet_input(io.BytesIO(body))
    data, _ = scoring_server._split_data_and_params(body.decode("utf-8"))
    return scoring_server.infer_and_parse_data(data, schema)


def params_of(body: bytes) -> Any:
    """The parameters in a JSON body, as the server's parser finds them."""
    from mlflow.pyfunc import scoring_server

    return scoring_server._split_data_and_params(body.decode("utf-8"))[1]


def received(payload: Payload, schema: Any) -> list[Any]:
    """What the model gets of each body."""
    from mlflow.models.utils import _enforce_schema

    return [_enforce_schema(parsed(body, payload.content_type, schema), schema) for body in payload.bodies]


def values_of(received: list[Any]) -> list[list[Any]]:
    """The rows of all bodies, one list of plain values a row, whatever container they came in."""
    rows: list[list[Any]] = []
    for part in received:
        if isinstance(part, pd.DataFrame):
            columns = [part[name].tolist() for name in part.columns]
        elif isinstance(part, dict):
            columns = [list(cells) for cells in part.values()]
        else:
            columns = [list(part)]
        rows += [[plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    return rows


def frame_values(frame: pd.DataFrame) -> list[list[Any]]:
    """The rows of a frame in the same form."""
    return values_of([frame])


def plain(value: Any) -> Any:
    """A value that can be compared with ==: no arrays, one kind of time, None for whatever is missing."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 (NaN)
        return None
    if isinstance(value, datetime.datetime | np.datetime64):
        return pd.Timestamp(value)
    return value.item() if isinstance(value, np.generic) else value
