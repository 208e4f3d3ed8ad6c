"""Which types of column each of MLflow's request formats carries.

Knows what MLflow's readers refuse or change in silence; makes no bodies. The rules were found by sending
every type through the readers of MLflow 3.17, and tests/test_formats.py holds them to the installed ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor, Type

if TYPE_CHECKING:
    import pandas as pd

_OF_CSV = frozenset({"boolean", "integer", "long", "float", "double", "string"})
_OF_FRAMES = frozenset({"split", "records", "parquet", "split-1x"})
_MISSING_IN_CSV = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""The texts that pandas.read_csv, and with it MLflow, takes for a missing value, quoted or not."""


def check_carries(
    rows: pd.DataFrame, format: str, signature: Signature | None = None, rows_per_call: int = 1
) -> None:
    """InputError where the rows would not arrive as they are: format, column, why, and what to use."""
    problem = _by_type(format, signature, rows_per_call, len(rows)) if signature else None
    problem = problem or _by_value(rows, format, signature)
    if problem:
        raise InputError(f"--format {format}: {problem}")


def is_named(rows: pd.DataFrame) -> bool:
    """Whether columns go by name; where all are whole numbers they go by their place."""
    import numpy as np

    return not all(isinstance(name, int | np.integer) for name in rows.columns)


def _by_type(format: str, signature: Signature, rows_per_call: int, row_count: int) -> str | None:
    if signature.from_type_hint:
        return (
            None if format == "inputs" else "the model has a type hint, and then takes --format inputs alone"
        )
    for column in signature.columns:
        reason = _refusal(format, column, rows_per_call, row_count)
        if reason:
            name = "the model's input" if column.name is None else f"column {column.name!r}"
            return f"{name} ({column.type}): {reason}"
    return None


def _refusal(format: str, column: Column, rows_per_call: int, row_count: int) -> str | None:
    """Why MLflow's reader of this format cannot take a column of this type."""
    kind = column.type
    if isinstance(kind, Tensor):
        return _tensor_refusal(format, kind, rows_per_call, row_count)
    if format == "csv":
        carried = isinstance(kind, Scalar) and kind.name in _OF_CSV
        return None if carried else "CSV carries numbers, booleans and text alone; use split or parquet"
    if format in ("instances", "inputs"):
        return _tensor_format_refusal(format, column)
    if format != "parquet" and not isinstance(kind, Scalar) and "binary" in _scalars(kind):
        return "binary inside another type arrives as base64 text; use parquet"
    return None


def _tensor_format_refusal(format: str, column: Column) -> str | None:
    """`instances` and `inputs` become arrays, not a DataFrame: no base64, and nested types fall apart."""
    nested = isinstance(column.type, Array | Map | Object)
    if "binary" in _scalars(column.type):
        return "binary arrives as base64 text; use parquet, or split where it is not inside another type"
    if nested and column.name is None:
        return "MLflow cannot read an unnamed one; use split or records"
    if nested and format == "instances" and not isinstance(column.type, Map):
        return "MLflow puts the rows together into one array; use split, records or inputs"
    return None


def _tensor_refusal(format: str, tensor: Tensor, rows_per_call: int, row_count: int) -> str | None:
    if format == "csv":
        return "CSV carries no tensors; use inputs or instances"
    batch, rest = tensor.shape[0], tensor.shape[1:]
    if format in _OF_FRAMES and (batch != -1 or -1 in rest):
        return "only tensors of shape [-1, N, …] go through a DataFrame; use inputs or instances"
    if format in _OF_FRAMES and tensor.dtype.startswith("datetime64") and not rest:
        return "times of shape [-1] do not go through a DataFrame; use inputs or instances"
    if batch != -1 and (rows_per_call != batch or row_count % batch):
        return f"it takes {batch} rows a call; use --rows-per-call {batch}, and whole batches of rows"
    return None


def _scalars(kind: Type) -> Iterator[str]:
    """The names of all scalar types within a type."""
    if isinstance(kind, Scalar):
        yield kind.name
    elif isinstance(kind, Array):
        yield from _scalars(kind.items)
    elif isinstance(kind, Map):
        yield from _scalars(kind.values)
    elif isinstance(kind, Object):
        for part in kind.properties:
            yield from _scalars(part.type)


def _by_value(rows: pd.DataFrame, format: str, signature: Signature | None) -> str | None:
    for name in rows.columns:
        column = rows[name]
        if column.dtype.kind not in "biufM":
            reason = _value_refusal(format, column, signature)
            if reason:
                return f"column {name!r}: {reason}"
    return None


def _value_refusal(format: str, column: pd.Series[Any], signature: Signature | None) -> str | None:
    if format == "csv":
        return _csv_refusal(column)
    if format == "parquet" and not _has_optional_properties(signature, column.name):
        keys = {frozenset(cell) for cell in column if isinstance(cell, Mapping)}
        if len(keys) > 1:
            return (
                "the keys differ from row to row, and Parquet fills them up with nulls; use split or records"
            )
    if format in ("instances", "inputs") and signature and not signature.is_tensor:
        return _array_refusal(column)
    return None


def _has_optional_properties(signature: Signature | None, name: Any) -> bool:
    """Whether a null says the same as a key that is not there."""
    columns = signature.columns if signature else ()
    return any(isinstance(c.type, Object) for i, c in enumerate(columns) if name in (c.name, i))


def _array_refusal(column: pd.Series[Any]) -> str | None:
    """What NumPy's arrays of text do not hold."""
    if column.isna().any():
        return "a missing value arrives as the text 'None', or breaks the array; use split or records"
    if any(isinstance(cell, str) and cell.endswith("\0") for cell in column):
        return "a text that ends in NUL arrives without it; use split or records"
    return None


def _csv_refusal(column: pd.Series[Any]) -> str | None:
    import numpy as np

    for row, cell in enumerate(column, start=1):
        if isinstance(cell, str) and cell in _MISSING_IN_CSV:
            return f"row {row}: the text {cell!r} arrives as a missing value; use split or parquet"
        if isinstance(cell, str) and "\0" in cell:
            return f"row {row}: the text {cell!r} holds NUL, where older pandas ends it; use split or parquet"
        if isinstance(cell, str) and any("\ud800" <= letter <= "\udfff" for letter in cell):
            return f"row {row}: the text {cell!r} is not Unicode (a lone surrogate); use split or records"
        if isinstance(cell, Mapping | list | tuple | np.ndarray | bytes | bytearray):
            return f"row {row}: CSV cannot carry a {type(cell).__name__}; use split or parquet"
    return None
