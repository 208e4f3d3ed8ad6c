"""What the installed MLflow makes of a missing value: its own readers are asked, once for each case.

Knows MLflow's parsers, and imports them only for a column that has missing values; nothing of requests.
"""

from __future__ import annotations

import io
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from scorebench.payloads.casting import cast
from scorebench.payloads.formats.record import Batch, BodyFormat
from scorebench.payloads.signature import Column, Scalar, Signature

_SAMPLES: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 1.5,
    "double": 1.5,
    "string": "a",
    "binary": b"a",
    "datetime": "2020-01-01",
    "any": "a",
}


def name() -> str:
    """The installed MLflow as an error names it; any MLflow where none is installed."""
    try:
        return f"MLflow {version('mlflow')}"
    except PackageNotFoundError:
        return "MLflow"


@cache
def keeps_missing(format: BodyFormat, column: Column) -> bool:
    """Whether a missing value of a column of scalars reaches the model as one, and leaves the next as it is.

    False where MLflow is not installed, so that nobody can tell.
    """
    import pandas as pd

    assert isinstance(column.type, Scalar)
    signature = Signature((column,))
    given = pd.DataFrame({column.name or 0: pd.Series([_SAMPLES[column.type.name], None], dtype=object)})
    rows = cast(given, signature, "a sample")
    (body,) = format.writer(Batch(rows, 2, signature))(rows)
    try:
        known, missing = _received(body, format.content_type, column)
    except Exception:  # MLflow and pandas raise many kinds; each is a call that fails
        return False
    return bool(known == rows.iloc[0, 0]) and pd.isna(missing) is True


def _received(body: bytes, content_type: str, column: Column) -> list[Any]:
    """The values that MLflow hands to the model."""
    from mlflow.models.utils import _enforce_schema
    from mlflow.pyfunc import scoring_server
    from mlflow.types import Schema

    named = {} if column.name is None else {"name": column.name}
    schema = Schema.from_json(json.dumps([{"type": str(column.type), "required": column.required, **named}]))
    if content_type == scoring_server.CONTENT_TYPE_CSV:
        parsed = scoring_server.parse_csv_input(io.StringIO(body.decode()), schema)
    elif content_type == scoring_server.CONTENT_TYPE_PARQUET:
        parsed = scoring_server.parse_parquet_input(io.BytesIO(body))
    else:
        parsed = scoring_server.infer_and_parse_data(json.loads(body), schema)
    return list(_enforce_schema(parsed, schema).iloc[:, 0])
