"""A block of rows and a format → the bodies of its calls. Knows how each of MLflow's formats is written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads.cells import Cells, json_cells
from scorebench.payloads.format_names import KEYS
from scorebench.payloads.formats import is_named
from scorebench.payloads.signature import Scalar, Signature

if TYPE_CHECKING:
    import pandas as pd

_EXACT_FLOAT = 2**53
_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

Writer = Callable[["pd.DataFrame"], Iterator[bytes]]
"""A block of rows → the bodies of that block."""


def writer(
    format: str,
    rows: pd.DataFrame,
    rows_per_call: int,
    params: Mapping[str, Any] | None,
    signature: Signature | None,
) -> Writer:
    """The writer of a format; what each body has around its rows is made here, once.

    A writer raises InputError for a value that its format cannot hold.
    """
    if format == "csv":
        return partial(_csv_bodies, rows_per_call)
    if format == "parquet":
        return partial(_parquet_bodies, rows_per_call)
    opening, closing = _frame_of(format, rows, params)
    if format == "inputs" and is_named(rows) and _is_flat(rows, signature):
        return partial(_columnar_bodies, rows_per_call, opening, closing)
    units = {"split": _rows_as_lists, "split-1x": _rows_as_floats, "records": _rows_as_flat_dicts}
    return partial(_json_bodies, units.get(format, _rows_as_values), rows_per_call, opening, closing)


def _frame_of(format: str, rows: pd.DataFrame, params: Mapping[str, Any] | None) -> tuple[str, str]:
    """What stands before and after the rows of each body."""
    names = f'"columns":{_dumps([str(name) for name in rows.columns])},' if is_named(rows) else ""
    tail = f',"params":{_params_json(params)}}}' if params else "}"
    if format == "split-1x":
        return "{" + names + '"data":', tail
    if format == "split":
        return f'{{"{KEYS[format]}":{{{names}"data":', "}" + tail
    return f'{{"{KEYS[format]}":', tail


def _params_json(params: Mapping[str, Any]) -> str:
    try:
        return _dumps(dict(params))
    except (TypeError, ValueError) as error:
        raise InputError(f"--params: {error}; give a JSON object") from None


def _json_bodies(
    to_units: Callable[[pd.DataFrame], Sequence[Any]],
    rows_per_call: int,
    opening: str,
    closing: str,
    block: pd.DataFrame,
) -> Iterator[bytes]:
    units = to_units(block)
    for start in range(0, len(units), rows_per_call):
        yield (opening + _dumps(units[start : start + rows_per_call]) + closing).encode("ascii")


def _columnar_bodies(rows_per_call: int, opening: str, closing: str, block: pd.DataFrame) -> Iterator[bytes]:
    columns = dict(zip(map(str, block.columns), _columns(block), strict=True))
    for start in range(0, len(block), rows_per_call):
        part = {name: cells[start : start + rows_per_call] for name, cells in columns.items()}
        yield (opening + _dumps(part) + closing).encode("ascii")


def _columns(block: pd.DataFrame) -> list[Cells]:
    return [json_cells(block[name]) for name in block.columns]


def _rows_as_lists(block: pd.DataFrame) -> Sequence[Any]:
    return list(zip(*_columns(_flattened(block)), strict=True))


def _rows_as_floats(block: pd.DataFrame) -> Sequence[Any]:
    """The Java server takes a whole number for a type of its own and refuses it where a double belongs."""
    whole = [name for name in block.columns if block[name].dtype.kind in "iu"]
    for name in whole:
        if block[name].abs().max() > _EXACT_FLOAT:
            raise InputError(f"--format split-1x: column {name!r} holds numbers that no float can; drop it")
    return _rows_as_lists(block.astype(dict.fromkeys(whole, "Float64")))


def _rows_as_flat_dicts(block: pd.DataFrame) -> Sequence[Any]:
    return _rows_as_dicts(_flattened(block))


def _rows_as_dicts(block: pd.DataFrame) -> Sequence[Any]:
    names = [str(name) for name in block.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*_columns(block), strict=True)]


def _rows_as_values(block: pd.DataFrame) -> Sequence[Any]:
    """Dicts where columns are named; lists where not; and of a single unnamed column its values alone."""
    if is_named(block):
        return _rows_as_dicts(block)
    columns = _columns(block)
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _flattened(block: pd.DataFrame) -> pd.DataFrame:
    """MLflow gives a tensor that comes through a DataFrame its shape itself, from one flat list a row."""
    deep = [name for name in block.columns if getattr(block[name].iloc[0], "ndim", 0) > 1]
    flat = block.copy(deep=False)
    for name in deep:
        flat[name] = block[name].map(np.ravel)
    return flat


def _is_flat(rows: pd.DataFrame, signature: Signature | None) -> bool:
    """Whether a column may be sent as one list: lists of lists or of objects MLflow takes for one value."""
    if signature is not None and not signature.is_tensor:
        return all(isinstance(c.type, Scalar) and c.type.name != "any" for c in signature.columns)
    return not any(
        isinstance(cell, list | dict) for name in rows.columns for cell in rows[name].dropna().head(1)
    )


class _Lines(list[str]):
    """A list that a csv.writer can write to: one line a row, line breaks within quotes included."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _csv_bodies(rows_per_call: int, block: pd.DataFrame) -> Iterator[bytes]:
    lines = _Lines()
    # With "\n" a lone "\r" would go unquoted; unquoted, a row of blanks alone would count as no row.
    text_alone = len(block.columns) == 1 and block.dtypes.iloc[0].kind not in "biufM"
    writer = csv.writer(
        lines, lineterminator="\r\n", quoting=csv.QUOTE_ALL if text_alone else csv.QUOTE_MINIMAL
    )
    writer.writerow(block.columns)
    writer.writerows(zip(*(_csv_cells(block[name]) for name in block.columns), strict=True))
    for start in range(1, len(lines), rows_per_call):
        yield "".join([lines[0], *lines[start : start + rows_per_call]]).encode("utf-8")


def _csv_cells(column: pd.Series[Any]) -> Cells:
    if column.dtype.kind == "f":  # CSV has a form for infinity; a missing value is an empty cell
        return column.astype(object).where(column.notna(), None).to_list()
    return json_cells(column)


def _parquet_bodies(rows_per_call: int, block: pd.DataFrame) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pa.Table.from_pandas(_flattened(block).rename(columns=str), preserve_index=False)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise InputError(f"--format parquet: {' '.join(str(error).split())}; use split or records") from None
    for start in range(0, len(block), rows_per_call):
        body = io.BytesIO()
        pq.write_table(table.slice(start, rows_per_call), body)
        yield body.getvalue()
