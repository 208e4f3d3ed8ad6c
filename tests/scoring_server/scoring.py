"""A request's body → its rows → one prediction a row. Knows MLflow's request formats; no socket, no time.

Written apart from scorebench's own encoder, so that the two check each other.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import Any

CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs")

Row = object  # a list, a dict, a number: whatever stood for one record


class NotScored(Exception):
    """This request gets an error: 415 for its content type, 400 for a body that can't be read."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def predict(row: Row) -> float:
    """The sum of all numbers in a row, exactly rounded, so that the order of the columns does not matter.

    Booleans count as 0 and 1, nested lists are walked, everything else counts nothing.
    """
    return math.fsum(_numbers(row))


def rows_of(body: bytes, content_type: str) -> list[Row]:
    """The records in a body, in any format of MLflow 1.x to 3.x.

    Raises NotScored with the status that MLflow gives.
    """
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if any(part != "charset=utf-8" for part in parameters) or kind not in (CSV, JSON, PARQUET):
        raise NotScored(
            415, f"This predictor only supports the following content types. Got '{content_type}'."
        )
    if kind == PARQUET:
        return _parquet_rows(body)
    try:
        text = body.decode()
        return _csv_rows(text) if kind == CSV else _json_rows(json.loads(text))
    except ValueError as error:
        raise NotScored(400, f"Failed to parse input: {error!r}") from error


def _json_rows(document: object) -> list[Row]:
    if isinstance(document, list):  # MLflow 1.x: bare records
        return document
    if not isinstance(document, dict):
        raise ValueError("neither an object nor a list")
    others = _rows_of_others(document)
    return _mlflow_rows(document) if others is None else others


def _rows_of_others(document: dict[str, Any]) -> list[Row] | None:
    """The rows in what other servers read, and in MLflow hands over whole; None for the forms of MLflow."""
    if any(key in document for key in ("messages", "prompt", "input")):  # MLflow hands these over whole
        return [document]
    if isinstance(document.get("input_data"), dict):  # Azure ML
        return list(document["input_data"]["data"])
    if _are_tensors(document.get("inputs")):
        return _tensor_rows(document["inputs"])
    return None


def _mlflow_rows(document: dict[str, Any]) -> list[Row]:
    if "data" in document:  # MLflow 1.x, the Java server: a bare split object
        return list(document["data"])
    found = [key for key in KEYS if key in document]
    if len(found) != 1:
        raise ValueError(f"expected exactly one of {KEYS}, found {list(document)}")
    value = document[found[0]]
    if found[0] == "dataframe_split":
        value = value["data"] if isinstance(value, dict) and "data" in value else None
    if isinstance(value, dict):
        return _columns_to_rows(value)
    if not isinstance(value, list):
        raise ValueError(f"{found[0]} holds no rows")
    return value


def _are_tensors(value: object) -> bool:
    """Whether it is what the Open Inference Protocol, version 2, calls `inputs`."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "datatype" in value[0]


def _tensor_rows(tensors: list[dict[str, Any]]) -> list[Row]:
    """A list for each row: of each tensor its part, whose elements are as many as its shape says."""
    counts = {tensor["shape"][0] for tensor in tensors}
    (count,) = counts  # else ValueError
    parts = []
    for tensor in tensors:
        flat = list(_flat(tensor["data"]))
        width = math.prod(tensor["shape"][1:])
        if len(flat) != count * width:
            raise ValueError(f"{len(flat)} elements for shape {tensor['shape']}")
        parts.append([flat[at : at + width] for at in range(0, len(flat), width)])
    return [list(row) for row in zip(*parts, strict=True)]


def _flat(value: object) -> Iterable[object]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _columns_to_rows(columns: dict[str, object]) -> list[Row]:
    values = list(columns.values())
    if not values or not all(isinstance(value, list) for value in values):
        return [values]  # scalars: one row
    return [list(row) for row in zip(*(value for value in values if isinstance(value, list)), strict=True)]


def _csv_rows(text: str) -> list[Row]:
    header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    if not header:
        raise ValueError("No columns to parse from file")
    return [[_number(field) for field in row] for row in rows if row]


def _number(field: str) -> object:
    if field in ("True", "False"):
        return field == "True"
    try:
        return float(field)
    except ValueError:
        return field


def _parquet_rows(body: bytes) -> list[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return list(parquet.read_table(io.BytesIO(body)).to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise NotScored(400, f"Failed to parse input: {error!r}") from error


def _numbers(value: Row) -> Iterable[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        yield from _numbers(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part)
