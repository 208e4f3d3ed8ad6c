"""What JSON formats share: rows as lists or objects, divided into bodies, and lists of rows read again.

Knows JSON and rows; no format by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.columns import frame
from scorebench.payloads.formats.record import BodyFormat
from scorebench.payloads.json_text import dumps

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.cells import Cells
    from scorebench.payloads.formats.record import Batch, Source
    from scorebench.payloads.signature import Signature

CONTENT_TYPE = "application/json"
PARAMS = "params"
"""The key that MLflow looks for parameters under."""
_TENSOR_KEYS = {"name", "shape", "datatype"}
mlflow_format = partial(
    BodyFormat,
    content_type=CONTENT_TYPE,
    suffix=".json",
    keeps_missing=frozenset({"float", "double", "datetime", "any"}),
    params_key=PARAMS,
)
"""A JSON format of MLflow 2 and later: what its records share."""


# ---- written -----------------------------------------------------------------------------------------------


def bodies(
    to_units: Callable[[pd.DataFrame], Sequence[Any]],
    rows_per_call: int,
    opening: str,
    closing: str,
    block: pd.DataFrame,
) -> Iterator[bytes]:
    """The bodies of a block: between `opening` and `closing` a JSON list with one unit a row."""
    units = to_units(block)
    for start in range(0, len(units), rows_per_call):
        yield (opening + dumps(units[start : start + rows_per_call]) + closing).encode("ascii")


def closing(batch: Batch) -> str:
    """The end of each body, with the parameters under PARAMS; InputError where JSON can't hold them."""
    if not batch.params:
        return "}"
    try:
        return f',"{PARAMS}":{dumps(dict(batch.params))}}}'
    except (TypeError, ValueError) as error:
        raise InputError(f"--params: {error}; give a JSON object") from None


def columns(block: pd.DataFrame) -> list[Cells]:
    """The values of each column as JSON can hold them."""
    from scorebench.payloads.cells import json_cells

    return [json_cells(block[name]) for name in block.columns]


def name(column: Any) -> str | int:
    """The name of a column as JSON holds it."""
    return int(column) if isinstance(column, Integral) else str(column)


def dicts(block: pd.DataFrame) -> list[dict[str, Any]]:
    """One object a row."""
    names = [str(name) for name in block.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns(block), strict=True)]


def flattened(block: pd.DataFrame) -> pd.DataFrame:
    """Tensors as one flat list a row: MLflow gives one that comes through a DataFrame its shape itself."""
    import numpy as np

    deep = [name for name in block.columns if getattr(block[name].iloc[0], "ndim", 0) > 1]
    flat = block.copy(deep=False)
    for name in deep:
        flat[name] = block[name].map(np.ravel)
    return flat


# ---- read --------------------------------------------------------------------------------------------------


def holds_tensors(key: str, source: Source) -> bool:
    """Whether the JSON is an object with typed tensors under this key, and no values of rows."""
    tensors = source.json.get(key) if isinstance(source.json, Mapping) else None
    return (
        isinstance(tensors, list)
        and bool(tensors)
        and all(isinstance(tensor, Mapping) and tensor.keys() >= _TENSOR_KEYS for tensor in tensors)
    )


def listed(content: Any, place: str) -> list[Any]:
    """The rows, which have to be a list."""
    if not isinstance(content, list):
        raise InputError(f"{place}: found a {type(content).__name__}, expected a list of rows")
    return content


def read(rows: list[Any], place: str, signature: Signature | None = None) -> pd.DataFrame:
    """A column for each key of objects, or for each place of equal flat lists; else one column of values.

    For a model with a type hint each row is one value, whatever it is.
    """
    if not rows:
        return frame({})
    if signature is not None and signature.from_type_hint:
        return frame({0: rows})
    if all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return frame({name: [row.get(name) for row in rows] for name in names})
    if any(isinstance(row, Mapping) for row in rows):
        raise InputError(f"{place}: found objects and other values mixed, expected rows of one kind")
    if all(isinstance(row, list) for row in rows) and _is_table(rows):
        return frame(dict(enumerate(zip(*rows, strict=True))))
    return frame({0: rows})


def read_columns(content: Mapping[str, Any], place: str) -> pd.DataFrame:
    """An object with a list a column; where one is no list, the whole is one row."""
    if not all(isinstance(values, list) for values in content.values()):
        return frame({name: [value] for name, value in content.items()})
    lengths = {name: len(values) for name, values in content.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            f"{place}: found columns of unequal length {lengths}, expected as many values in each"
        )
    return frame(content)


def _is_table(rows: list[list[Any]]) -> bool:
    flat = not any(isinstance(cell, list | dict) for row in rows for cell in row)
    return flat and len({len(row) for row in rows}) == 1
