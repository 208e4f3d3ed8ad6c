"""JSON bodies that become arrays on the server: instances and inputs.

Knows how they are written and read, and what NumPy's arrays don't hold; nothing of other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scorebench.payloads.columns import frame, is_named
from scorebench.payloads.formats import json_rows
from scorebench.payloads.formats.record import Batch, Source, Writer, has_key
from scorebench.payloads.formats.rules import call_size_problem, scalars_in, whole_name_problem
from scorebench.payloads.json_text import dumps
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {"i": "number", "u": "number", "f": "number", "b": "boolean", "M": "time"}
_INSTANCES_KEY, _INPUTS_KEY = "instances", "inputs"


# ---- what can't travel -------------------------------------------------------------------------------------


def _inputs_problem(column: Column, batch: Batch) -> str | None:
    """These formats become arrays and not a DataFrame: no base64, and nested types fall apart."""
    if isinstance(column.type, Tensor):
        return call_size_problem(column.type, batch)
    if "binary" in scalars_in(column.type):
        return "binary arrives as base64 text; use parquet, or split where it is not inside another type"
    is_plain = isinstance(column.type, Scalar) and column.type.name != "any"
    if isinstance(column.type, Array | Map | Object) and column.name is None:
        return "MLflow can't read an unnamed one; use split or records"
    return None if is_plain and not is_named(batch.rows) else whole_name_problem(column)


def _instances_problem(column: Column, batch: Batch) -> str | None:
    problem = _inputs_problem(column, batch)
    if problem is None and isinstance(column.type, Array | Object):
        return "MLflow puts the rows together into one array; use split, records or inputs"
    return problem


def _values_problem(column: pd.Series[Any], batch: Batch) -> str | None:
    """What one array of NumPy's doesn't hold."""
    if not is_named(batch.rows) and len(batch.rows.columns) > 1 and _are_mixed(batch):
        return "MLflow reads unnamed columns as one array, whose values have one type; use split"
    if batch.signature is None or batch.signature.is_tensor or column.dtype.kind in "biufM":
        return None
    if any(isinstance(cell, str) and cell.endswith("\0") for cell in column):
        return "a text that ends in NUL arrives without it; use split or records"
    return None


def _are_mixed(batch: Batch) -> bool:
    """Whether the columns differ in type: by the signature, else numbers from booleans and from the rest."""
    if batch.signature is not None:
        return len({column.type for column in batch.signature.columns}) > 1
    return len({_KINDS.get(kind.kind, "O") for kind in batch.rows.dtypes}) > 1


# ---- written -----------------------------------------------------------------------------------------------


def _write_instances(batch: Batch) -> Writer:
    return _write_rows(_INSTANCES_KEY, batch)


def _write_inputs(batch: Batch) -> Writer:
    if not (is_named(batch.rows) and _is_flat(batch.rows, batch.signature)):
        return _write_rows(_INPUTS_KEY, batch)
    opening = f'{{"{_INPUTS_KEY}":'
    return partial(_columnar_bodies, batch.rows_per_call, opening, json_rows.closing(batch))


def _write_rows(key: str, batch: Batch) -> Writer:
    opening = f'{{"{key}":'
    return partial(json_rows.bodies, _rows_as_values, batch.rows_per_call, opening, json_rows.closing(batch))


def _columnar_bodies(rows_per_call: int, opening: str, closing: str, block: pd.DataFrame) -> Iterator[bytes]:
    columns = dict(zip(map(str, block.columns), json_rows.columns(block), strict=True))
    for start in range(0, len(block), rows_per_call):
        part = {name: cells[start : start + rows_per_call] for name, cells in columns.items()}
        yield (opening + dumps(part) + closing).encode("ascii")


def _rows_as_values(block: pd.DataFrame) -> Sequence[Any]:
    """Objects where columns are named, else lists; of a single unnamed column its values alone."""
    if is_named(block):
        return json_rows.dicts(block)
    columns = json_rows.columns(block)
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _is_flat(rows: pd.DataFrame, signature: Signature | None) -> bool:
    """Whether a column may be sent as one list: MLflow takes lists of lists or of objects for one value."""
    if signature is not None and not signature.is_tensor:
        return all(isinstance(c.type, Scalar) and c.type.name != "any" for c in signature.columns)
    return not any(
        isinstance(cell, list | dict) for name in rows.columns for cell in rows[name].dropna().head(1)
    )


# ---- read --------------------------------------------------------------------------------------------------


def _read_instances(source: Source) -> pd.DataFrame:
    place = f"{source.place}: {_INSTANCES_KEY}"
    rows = json_rows.listed(source.json[_INSTANCES_KEY], place)
    return json_rows.read(rows, place, source.signature)


def _read_inputs(source: Source) -> pd.DataFrame:
    """A list of rows, an object of columns, or one value as one row."""
    content, place = source.json[_INPUTS_KEY], f"{source.place}: {_INPUTS_KEY}"
    hinted = source.signature is not None and source.signature.from_type_hint
    if isinstance(content, Mapping) and not hinted:
        return _read_columns(content, place, source.signature)
    return json_rows.read(content if isinstance(content, list) else [content], place, source.signature)


def _is_inputs(source: Source) -> bool:
    return has_key(_INPUTS_KEY, source) and not json_rows.holds_tensors(_INPUTS_KEY, source)


def _read_columns(content: Mapping[str, Any], place: str, signature: Signature | None) -> pd.DataFrame:
    """A list a column. Where one is no list, or the model takes arrays or objects, the whole is one row."""
    nested = (
        signature is not None
        and not signature.is_tensor
        and not all(isinstance(column.type, Scalar) for column in signature.columns)
    )
    if nested:
        return frame({name: [value] for name, value in content.items()})
    return json_rows.read_columns(content, place)


# ---- the formats -------------------------------------------------------------------------------------------

INSTANCES = json_rows.mlflow_format(
    name="instances",
    about="TensorFlow Serving's form, one value a row; MLflow 2 and later, KServe V1",
    key=_INSTANCES_KEY,
    rows_at=(_INSTANCES_KEY,),
    writer=_write_instances,
    read=_read_instances,
    column_problem=_instances_problem,
    values_problem=_values_problem,
    sample='{"instances":[{"a":1,"b":0.5},{"a":2,"b":null}]}',
)
INPUTS = json_rows.mlflow_format(
    name="inputs",
    about="TensorFlow Serving's columnar form; MLflow 2 and later, and models with a type hint",
    key=_INPUTS_KEY,
    rows_at=(_INPUTS_KEY,),
    is_it=_is_inputs,
    writer=_write_inputs,
    read=_read_inputs,
    column_problem=_inputs_problem,
    values_problem=_values_problem,
    takes_type_hints=True,
    sample='{"inputs":{"a":[1,2],"b":[0.5,null]}}',
)
