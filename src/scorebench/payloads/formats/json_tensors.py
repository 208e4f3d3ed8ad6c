"""Bodies of the Open Inference Protocol, version 2: typed tensors, as MLServer, KServe and Triton take them.

Knows how they are written and read, and what has no datatype; nothing of other formats. Source: the REST
specification of the protocol, "Inference Request JSON Object" and "Tensor Data Types".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.columns import frame, is_named
from scorebench.payloads.formats import json_rows
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.formats.rules import call_size_problem
from scorebench.payloads.json_text import dumps
from scorebench.payloads.signature import Column, Scalar, Tensor

if TYPE_CHECKING:
    import pandas as pd

_KEY, _PARAMETERS = "inputs", "parameters"
_ID = "1"
"""A server repeats it; without one it may make a new one for each answer, so that no two are the same."""
_UNNAMED = "input-0"
"""What MLServer calls an input that has no name."""
_OF_FRAMES = {"content_type": "pd"}
"""By this MLServer and KServe know that the tensors are the columns of a DataFrame; others ignore it."""
_DATATYPES = {
    "bool": "BOOL",
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}
"""By NumPy's names. Everything else is text, whose datatype is BYTES."""


# ---- what can't travel -------------------------------------------------------------------------------------


def _column_problem(column: Column, batch: Batch) -> str | None:
    if isinstance(column.type, Tensor):
        return call_size_problem(column.type, batch)
    if not isinstance(column.type, Scalar) or column.type.name == "any":
        return "a tensor's elements have one plain type; use another format"
    return None


def _values_problem(column: pd.Series[Any], batch: Batch) -> str | None:
    missing = column.isna()
    if missing.any():
        row = int(missing.to_numpy().argmax()) + 1
        return f"row {row}: found no value, and a tensor has none missing; fill it, or drop the row"
    if _is_one_tensor(batch) and len({_dtype(batch.rows[name]) for name in batch.rows.columns}) > 1:
        return "all columns are one tensor, whose elements have one type; send named columns, a tensor each"
    return None if column.dtype.kind in "biufM" else _cells_problem(column)


def _cells_problem(column: pd.Series[Any]) -> str | None:
    """Arrays of one shape, or texts and bytes: all else is no column of elements."""
    import numpy as np

    if all(isinstance(cell, np.ndarray) for cell in column):
        return "the arrays differ in shape; a tensor has one" if len({c.shape for c in column}) > 1 else None
    for row, cell in enumerate(column, start=1):
        if not isinstance(cell, str | bytes):
            return f"row {row}: found a {type(cell).__name__}, which has no datatype in V2; drop the column"
    return None


def _dtype(column: pd.Series[Any]) -> str:
    """NumPy's name of the type of the elements; pandas calls its own types the same, with a capital."""
    first = column.iloc[0]
    return (
        str(getattr(first, "dtype", column.dtype)).lower()
        if hasattr(first, "shape")
        else str(column.dtype).lower().replace("boolean", "bool")
    )


# ---- written -----------------------------------------------------------------------------------------------


def _write(batch: Batch) -> Writer:
    of_tensors = batch.signature is not None and batch.signature.is_tensor
    parameters = {**({} if _is_one_tensor(batch) or of_tensors else _OF_FRAMES), **batch.params}
    head = f'{{"id":"{_ID}",' + (f'"{_PARAMETERS}":{_dumped(parameters)},' if parameters else "")
    to_tensors = _one_tensor if _is_one_tensor(batch) else _a_tensor_a_column
    return partial(_bodies, to_tensors, batch.rows_per_call, f'{head}"{_KEY}":')


def _is_one_tensor(batch: Batch) -> bool:
    """Whether all columns are one tensor: without names, or where a parameter asks for one of NumPy's."""
    return not is_named(batch.rows) or batch.params.get("content_type") == "np"


def _dumped(parameters: Mapping[str, Any]) -> str:
    try:
        return dumps(dict(parameters))
    except (TypeError, ValueError) as error:
        raise InputError(f"--params: {error}; give a JSON object") from None


def _bodies(
    to_tensors: Callable[[pd.DataFrame, list[Any]], list[Any]],
    rows_per_call: int,
    opening: str,
    block: pd.DataFrame,
) -> Iterator[bytes]:
    cells = json_rows.columns(block)
    for start in range(0, len(block), rows_per_call):
        part = [column[start : start + rows_per_call] for column in cells]
        yield (opening + dumps(to_tensors(block, part)) + "}").encode("ascii")


def _a_tensor_a_column(block: pd.DataFrame, part: list[Any]) -> list[Any]:
    return [_tensor(str(name), block[name], cells) for name, cells in zip(block.columns, part, strict=True)]


def _one_tensor(block: pd.DataFrame, part: list[Any]) -> list[Any]:
    """A row of it for each row."""
    first = block.iloc[:, 0]
    if len(part) == 1:
        return [_tensor(_UNNAMED, first, part[0])]
    rows = [list(row) for row in zip(*part, strict=True)]
    return [{**_tensor(_UNNAMED, first, rows), "shape": [len(rows), len(part)]}]


def _tensor(name: str, column: pd.Series[Any], cells: list[Any]) -> dict[str, Any]:
    row_shape = list(getattr(column.iloc[0], "shape", ())) or [1]
    return {
        "name": name,
        "shape": [len(cells), *row_shape],
        "datatype": _DATATYPES.get(_dtype(column), "BYTES"),
        **({_PARAMETERS: {"content_type": "base64"}} if isinstance(column.iloc[0], bytes) else {}),
        "data": cells,
    }


# ---- read --------------------------------------------------------------------------------------------------


def _read(source: Source) -> pd.DataFrame:
    """A column for each tensor; of one that is called as MLServer calls those without a name, its columns."""
    tensors = source.json[_KEY]
    columns = {}
    for tensor in tensors:
        place = f"{source.place}: input {str(tensor['name'])[:60]!r}"
        if not isinstance(tensor["name"], str):
            raise InputError(f"{place}: found a name that is no text; correct it")
        if tensor["name"] in columns:
            raise InputError(f"{place}: found it twice, expected each name once; keep one")
        columns[tensor["name"]] = _rows_of(tensor, place)
    lengths = {name: len(rows) for name, rows in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{source.place}: found tensors of {lengths} rows, expected as many in each")
    if list(columns) == [_UNNAMED]:
        return json_rows.read(columns[_UNNAMED], source.place)
    return frame(columns)


def _rows_of(tensor: Mapping[str, Any], place: str) -> list[Any]:
    """What the tensor holds for each row: a value, or a list of them."""
    shape, data = tensor["shape"], tensor.get("data")
    if not isinstance(shape, list) or not shape or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise InputError(f"{place}: found shape {shape!r:.60}, expected a list of whole numbers")
    if not isinstance(data, list):
        raise InputError(f"{place}: found no list under 'data', expected the elements; correct it")
    flat = data
    while flat and isinstance(flat[0], list):
        flat = [cell for row in flat for cell in (row if isinstance(row, list) else [row])]
    if len(flat) != prod(shape):
        raise InputError(f"{place}: found {len(flat):,} elements, its shape {shape} has {prod(shape):,}")
    width = prod(shape[1:])
    if width == 1:
        return flat
    return [flat[at : at + width] for at in range(0, len(flat), width)] if width else [[]] * shape[0]


# ---- the format --------------------------------------------------------------------------------------------

V2 = BodyFormat(
    name="v2",
    about="Open Inference Protocol V2: MLServer, KServe, Triton; a typed tensor for each column",
    content_type=json_rows.CONTENT_TYPE,
    suffix=".json",
    key=_KEY,
    is_it=partial(json_rows.holds_tensors, _KEY),
    writer=_write,
    read=_read,
    column_problem=_column_problem,
    values_problem=_values_problem,
    params_key=_PARAMETERS,
    answers="v2",
    path="/v2/models/NAME/infer",
    sample=(
        '{"id":"1","parameters":{"content_type":"pd"},"inputs":['
        '{"name":"a","shape":[2,1],"datatype":"INT64","data":[1,2]},'
        '{"name":"b","shape":[2,1],"datatype":"FP64","data":[0.5,1.5]}]}'
    ),
)
