"""JSON bodies that become a DataFrame on the server: split, records, Azure's, and MLflow 1.x's bare split.

Knows how they are written and read; nothing of other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.columns import frame, is_named
from scorebench.payloads.formats import json_rows
from scorebench.payloads.formats.record import Batch, BodyFormat, Source, Writer
from scorebench.payloads.formats.rules import frame_tensor_problem, nested_binary_problem, whole_name_problem
from scorebench.payloads.json_text import dumps
from scorebench.payloads.signature import Column, Tensor

if TYPE_CHECKING:
    import pandas as pd

_EXACT_FLOAT = 2**53
_SPLIT_KEY, _RECORDS_KEY, _AZURE_KEY = "dataframe_split", "dataframe_records", "input_data"
_BARE_KEYS = frozenset({"columns", "index", "data"})


def _column_problem(column: Column, batch: Batch) -> str | None:
    if isinstance(column.type, Tensor):
        return frame_tensor_problem(column.type, batch)
    return nested_binary_problem(column)


def _records_problem(column: Column, batch: Batch) -> str | None:
    return whole_name_problem(column) or _column_problem(column, batch)


# ---- written -----------------------------------------------------------------------------------------------


def _write_split(batch: Batch) -> Writer:
    opening = f'{{"{_SPLIT_KEY}":{{{_names(batch)}"data":'
    return partial(
        json_rows.bodies, _rows_as_lists, batch.rows_per_call, opening, "}" + json_rows.closing(batch)
    )


def _write_bare_split(batch: Batch) -> Writer:
    opening = "{" + _names(batch) + '"data":'
    return partial(json_rows.bodies, _rows_as_floats, batch.rows_per_call, opening, json_rows.closing(batch))


def _write_records(batch: Batch) -> Writer:
    opening = f'{{"{_RECORDS_KEY}":'
    return partial(json_rows.bodies, _rows_as_dicts, batch.rows_per_call, opening, json_rows.closing(batch))


def _write_azure(batch: Batch) -> Writer:
    """A split object as pandas writes it, with its index: Azure's server requires that."""
    opening = f'{{"{_AZURE_KEY}":{{{_names(batch)}"index":'
    return partial(_indexed_bodies, batch.rows_per_call, opening, "}" + json_rows.closing(batch))


def _indexed_bodies(rows_per_call: int, opening: str, closing: str, block: pd.DataFrame) -> Iterator[bytes]:
    rows = _rows_as_lists(block)
    for start in range(0, len(rows), rows_per_call):
        part = rows[start : start + rows_per_call]
        yield f'{opening}{dumps(list(range(len(part))))},"data":{dumps(part)}{closing}'.encode("ascii")


def _names(batch: Batch) -> str:
    """The member `columns`, where columns have names. JSON holds names that are whole numbers as they are."""
    rows = batch.rows
    return f'"columns":{dumps([json_rows.name(name) for name in rows.columns])},' if is_named(rows) else ""


def _rows_as_lists(block: pd.DataFrame) -> Sequence[Any]:
    return list(zip(*json_rows.columns(json_rows.flattened(block)), strict=True))


def _rows_as_floats(block: pd.DataFrame) -> Sequence[Any]:
    """The Java server takes a whole number for a type of its own, and refuses it where a double belongs."""
    whole = [name for name in block.columns if block[name].dtype.kind in "iu"]
    for name in whole:
        if block[name].abs().max() > _EXACT_FLOAT:
            raise InputError(f"--format split-1x: column {name!r} holds numbers that no float can; drop it")
    return _rows_as_lists(block.astype(dict.fromkeys(whole, "Float64")))


def _rows_as_dicts(block: pd.DataFrame) -> Sequence[Any]:
    return json_rows.dicts(json_rows.flattened(block))


# ---- read --------------------------------------------------------------------------------------------------


def _read_split(source: Source) -> pd.DataFrame:
    return _split(source.json[_SPLIT_KEY], f"{source.place}: {_SPLIT_KEY}")


def _read_bare_split(source: Source) -> pd.DataFrame:
    return _split(source.json, source.place)


def _read_azure(source: Source) -> pd.DataFrame:
    """A split object, a list of rows, or an object with a list a column."""
    content, place = source.json[_AZURE_KEY], f"{source.place}: {_AZURE_KEY}"
    if isinstance(content, list):
        return json_rows.read(content, place, source.signature)
    if isinstance(content, Mapping) and "data" not in content:
        return json_rows.read_columns(content, place)
    return _split(content, place)


def _split(content: Any, place: str) -> pd.DataFrame:
    if not isinstance(content, Mapping) or not isinstance(content.get("data"), list):
        raise InputError(f"{place}: found no list of rows under 'data', expected columns and data")
    data = content["data"]
    if not all(isinstance(row, list) for row in data):
        raise InputError(f"{place}: found a row that is no list, expected one list of values a row")
    names = _column_names(content.get("columns"), len(data[0]) if data else 0, place)
    for row, cells in enumerate(data, start=1):
        if len(cells) != len(names):
            raise InputError(
                f"{place}, row {row}: found {len(cells)} values, expected {len(names)} as there are columns"
            )
    return frame(dict(zip(names, zip(*data, strict=True), strict=True)) if data else {})


def _column_names(names: Any, width: int, place: str) -> Sequence[Any]:
    """Names as text; 0, 1, … where there are none, or only these."""
    if names is None:
        return range(width)
    other = [one for one in names if type(one) not in (str, int)] if isinstance(names, list) else []
    if other:
        raise InputError(f"{place}: found a column named {other[0]!r:.60}, expected text or a whole number")
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise InputError(f"{place}: found columns {names!r}, expected a list of names, each once")
    return names if names == list(range(len(names))) else [str(name) for name in names]


def _read_records(source: Source) -> pd.DataFrame:
    place = f"{source.place}: {_RECORDS_KEY}"
    rows = json_rows.listed(source.json[_RECORDS_KEY], place)
    if not all(isinstance(row, Mapping) for row in rows):
        raise InputError(
            f"{place}: found a row that is no object, expected objects alone; use instances for lists"
        )
    return json_rows.read(rows, place)


def _is_bare_split(source: Source) -> bool:
    return isinstance(source.json, Mapping) and "data" in source.json and source.json.keys() <= _BARE_KEYS


# ---- the formats -------------------------------------------------------------------------------------------

_frame_format = partial(
    json_rows.mlflow_format, keeps_missing=frozenset({"float", "double", "string", "datetime", "any"})
)
SPLIT = _frame_format(
    name="split",
    about="MLflow 2 and later, as a DataFrame; column names are sent once",
    key=_SPLIT_KEY,
    rows_at=(_SPLIT_KEY, "data"),
    writer=_write_split,
    read=_read_split,
    column_problem=_column_problem,
    sample='{"dataframe_split":{"columns":["a","b"],"data":[[1,0.5],[2,null]]}}',
)
RECORDS = _frame_format(
    name="records",
    about="MLflow 2 and later, as a DataFrame; column names are sent with each row",
    key=_RECORDS_KEY,
    rows_at=(_RECORDS_KEY,),
    writer=_write_records,
    read=_read_records,
    column_problem=_records_problem,
    sample='{"dataframe_records":[{"a":1,"b":0.5},{"a":2,"b":null}]}',
)
AZURE = _frame_format(
    name="azure",
    about="Azure ML's endpoints for MLflow models, as a DataFrame",
    key=_AZURE_KEY,
    rows_at=(_AZURE_KEY, "data"),
    writer=_write_azure,
    read=_read_azure,
    column_problem=_column_problem,
    sample='{"input_data":{"columns":["a","b"],"index":[0,1],"data":[[1,0.5],[2,null]]}}',
)
SPLIT_1X = BodyFormat(
    name="split-1x",
    about="MLflow 1.x, and the Java server of MLeap models; every number is a float",
    content_type=json_rows.CONTENT_TYPE,  # exactly this: the Java server refuses any parameter in it
    suffix=".json",
    is_it=_is_bare_split,
    rows_at=("data",),
    writer=_write_bare_split,
    read=_read_bare_split,
    column_problem=_column_problem,
    sample='{"columns":["a","b"],"data":[[1.0,0.5],[2.0,null]]}',
)
