"""Whether rows arrive as they are: what all formats share in their rules about columns.

Knows types; no format by name. The rules were found by sending every type through the readers of MLflow;
tests/test_formats.py holds them to the installed ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor, Type

if TYPE_CHECKING:
    from scorebench.payloads.formats.record import Batch, BodyFormat


def check(format: BodyFormat, batch: Batch) -> None:
    """InputError where the rows would not arrive as they are. It names format, column, cause and cure."""
    signature = batch.signature
    problem = _by_type(format, batch, signature) if signature else None
    problem = problem or _by_value(format, batch)
    if not problem and signature and not signature.from_type_hint:
        problem = _by_missing(format, batch, signature)
    if problem:
        raise InputError(f"--format {format.name}: {problem}")


def _by_type(format: BodyFormat, batch: Batch, signature: Signature) -> str | None:
    if signature.from_type_hint:
        return None if format.takes_type_hints else _TYPE_HINT
    for column in signature.columns:
        reason = format.column_problem(column, batch)
        if reason:
            name = "the model's input" if column.name is None else f"column {column.name!r}"
            return f"{name} ({column.type}): {reason}"
    return None


_TYPE_HINT = "MLflow reads only `inputs` for a model with a type hint; use --format inputs"


def _by_value(format: BodyFormat, batch: Batch) -> str | None:
    for name in batch.rows.columns:
        reason = format.values_problem(batch.rows[name], batch)
        if reason:
            return f"column {name!r}: {reason}"
    return None


def _by_missing(format: BodyFormat, batch: Batch, signature: Signature) -> str | None:
    """The first missing value that would not arrive as one."""
    for place, column in enumerate(signature.columns):
        name = place if column.name is None else column.name
        if not isinstance(column.type, Scalar) or name not in batch.rows.columns:
            continue
        missing = batch.rows[name].isna()
        if missing.any() and not _keeps_missing(format, column):
            from scorebench.payloads import mlflow_reader

            row, reader = int(missing.to_numpy().argmax()) + 1, mlflow_reader.name()
            return (
                f"column {name!r}, row {row}: found no value, and {reader} keeps no missing {column.type} "
                f"in {_where_else(column, batch)}; fill it or drop the row"
            )
    return None


def _where_else(column: Column, batch: Batch) -> str:
    """`any format`; or `this format, but in csv, parquet`."""
    from scorebench.payloads.formats import FORMATS

    name = batch.rows.columns[0] if column.name is None else column.name
    keeping = [
        one.name
        for one in FORMATS.values()
        if one.keeps_missing is not None  # None: MLflow does not read it
        and one.column_problem(column, batch) is None
        and one.values_problem(batch.rows[name], batch) is None
        and _keeps_missing(one, column)
    ]
    return f"this format, but in {', '.join(keeping)}" if keeping else "any format"


def _keeps_missing(format: BodyFormat, column: Column) -> bool:
    if format.keeps_missing is None or str(column.type) in format.keeps_missing:
        return True
    from scorebench.payloads import mlflow_reader

    return mlflow_reader.keeps_missing(format, column)


def whole_name_problem(column: Column) -> str | None:
    """Why a column whose name is a whole number can't go where names are text."""
    if isinstance(column.name, int):
        return "its name is a whole number, which arrives as text; use split"
    return None


def frame_tensor_problem(tensor: Tensor, batch: Batch) -> str | None:
    """Why a tensor can't go through a DataFrame, which has one cell a row for it."""
    length, rest = tensor.shape[0], tensor.shape[1:]
    if length != -1 or -1 in rest:
        return "only tensors of shape [-1, N, …] go through a DataFrame; use inputs or instances"
    if tensor.dtype.startswith("datetime64") and not rest:
        return "times of shape [-1] do not go through a DataFrame; use inputs or instances"
    return call_size_problem(tensor, batch)


def call_size_problem(tensor: Tensor, batch: Batch) -> str | None:
    """Why a tensor that takes a fixed number of rows can't be sent in calls of this size."""
    length = tensor.shape[0]
    if length != -1 and (batch.rows_per_call != length or len(batch.rows) % length):
        return f"it takes {length} rows a call; use --rows-per-call {length}, and whole batches of rows"
    return None


def nested_binary_problem(column: Column) -> str | None:
    """Why bytes inside another type can't go through JSON."""
    if not isinstance(column.type, Scalar) and "binary" in scalars_in(column.type):
        return "binary inside another type arrives as base64 text; use parquet"
    return None


def scalars_in(kind: Type) -> Iterator[str]:
    """The names of all scalar types within a type."""
    if isinstance(kind, Scalar):
        yield kind.name
    elif isinstance(kind, Array):
        yield from scalars_in(kind.items)
    elif isinstance(kind, Map):
        yield from scalars_in(kind.values)
    elif isinstance(kind, Object):
        for part in kind.properties:
            yield from scalars_in(part.type)
