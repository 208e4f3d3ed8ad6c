"""Rows and a signature → the rows that the model takes: its columns, in its order, of its types.

Knows pandas and signatures; no files, no requests. Nested types are cast as columns are: the values inside
laid end to end as one column, cast, and put together again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads import numbers
from scorebench.payloads.columns import typed
from scorebench.payloads.refused import listed, parsed_text, refuse
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor, Type
from scorebench.payloads.tensors import tensor, unnamed_tensor

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_TYPED_ITEMS = frozenset({"integer", "float", "datetime"})
"""Items that stay ndarrays: Parquet then writes their type, where Python's numbers would become 64-bit."""
_NEVER_MISSING_INSIDE = frozenset({"boolean", "integer", "long", "string", "binary"})
_AS_HINTED = frozenset({"any", "binary", "datetime"})
"""What a type hint reads from JSON in its own way."""


def cast(rows: pd.DataFrame, signature: Signature, place: str) -> pd.DataFrame:
    """The columns that the signature names, as it types them; unnamed ones go by place and are named 0, 1, ….

    A tensor becomes one column, each cell the ndarray of one row. Optional columns may be missing, and
    columns that the model does not take are left out. Raises InputError, which begins with `place`, for a
    missing column and for a value that is not of its type or would be changed by becoming it.
    """
    import pandas as pd

    rows = rows.reset_index(drop=True)
    if signature.from_type_hint:
        return pd.DataFrame({0: _one_value_a_row(rows, signature.columns[0].type, place)})
    if signature.is_tensor and not signature.is_named:
        return pd.DataFrame({0: unnamed_tensor(rows, signature.columns[0].type, place)})
    return pd.DataFrame(
        {
            name: _cast(values, column.type, column.required, f"{place}: column {values.name!r}")
            for name, column, values in _select(rows, signature, place)
        }
    )


def _select(
    rows: pd.DataFrame, signature: Signature, place: str
) -> list[tuple[str | int, Column, pd.Series[Any]]]:
    columns = signature.columns
    if not signature.is_named:
        if len(rows.columns) < len(columns):
            _refuse_count(rows, len(columns), place)
        return [(i, column, rows.iloc[:, i]) for i, column in enumerate(columns)]
    found = {str(name): name for name in rows.columns}  # a model may name its columns by numbers, CSV can't
    wanted = [(column.name, column) for column in columns if column.name is not None]
    missing = [name for name, column in wanted if column.required and str(name) not in found]
    if missing:
        raise InputError(
            f"{place}: found no column {listed(missing)}, only {listed(list(rows.columns))}; "
            f"the model takes {listed([name for name, _ in wanted])}: add or rename"
        )
    return [(name, c, rows[found[str(name)]]) for name, c in wanted if str(name) in found]


def _refuse_count(rows: pd.DataFrame, expected: int, place: str) -> NoReturn:
    raise InputError(
        f"{place}: found {len(rows.columns)} columns ({listed(list(rows.columns))}), "
        f"the model takes {expected} by their place; give data that has them"
    )


def _cast(values: pd.Series[Any], kind: Type, required: bool, where: str) -> pd.Series[Any]:
    """Values, whose index is the row that they came from, as `kind`."""
    import pandas as pd

    if isinstance(kind, Scalar):
        return _SCALARS[kind.name](typed(values), kind, where)
    if isinstance(kind, Tensor):
        return tensor(values, kind, where)
    cells = pd.Series([parsed_text(cell) for cell in values], index=values.index, dtype=object)
    wrong = ~cells.map(lambda cell: isinstance(cell, _CELLS[type(kind)])).astype(bool)
    absent = cells.isna() & (not required)
    refuse(cells, wrong & ~absent, kind, where)
    done = iter(_NESTED[type(kind)](cells[~absent], kind, where))
    return pd.Series([None if gone else next(done) for gone in absent], index=values.index, dtype=object)


def _laid_out(cells: pd.Series[Any], parts: Callable[[Any], Any]) -> pd.Series[Any]:
    """All the parts of all the cells in one column, each with the row it came from."""
    import pandas as pd

    items = [(row, item) for row, cell in cells.items() for item in parts(cell)]
    return pd.Series([item for _, item in items], index=[row for row, _ in items], dtype=object)


def _cast_inside(values: pd.Series[Any], kind: Type, required: bool, where: str) -> pd.Series[Any]:
    """As `_cast`, for the parts of a nested value: MLflow has no missing one of these types there."""
    if isinstance(kind, Scalar) and kind.name in _NEVER_MISSING_INSIDE:
        refuse(values, values.isna(), kind, where)
    return _cast(values, kind, required, where)


def _arrays(cells: pd.Series[Any], kind: Array, where: str) -> list[Any]:
    items = _cast_inside(_laid_out(cells, list), kind.items, True, where)
    typed = isinstance(kind.items, Scalar) and kind.items.name in _TYPED_ITEMS
    ends = np.cumsum([len(cell) for cell in cells])
    flat: Any = items.to_numpy() if typed else items.to_list()
    return [flat[end - len(cell) : end] for cell, end in zip(cells, ends, strict=True)]


def _maps(cells: pd.Series[Any], kind: Map, where: str) -> list[Any]:
    values = iter(_cast_inside(_laid_out(cells, dict.values), kind.values, True, where).to_list())
    return [{str(key): next(values) for key in cell} for cell in cells]


def _objects(cells: pd.Series[Any], kind: Object, where: str) -> list[Any]:
    names = {part.name for part in kind.properties}
    needed = {part.name for part in kind.properties if part.required}
    refuse(cells, cells.map(lambda cell: not needed <= set(cell) <= names).astype(bool), kind, where)
    done: list[dict[Any, Any]] = [{} for _ in cells]
    for part in kind.properties:
        _fill_property(done, cells, part, where)
    return done


def _fill_property(done: list[dict[Any, Any]], cells: pd.Series[Any], part: Column, where: str) -> None:
    import pandas as pd

    for filled, cell in zip(done, cells, strict=True):
        if part.name in cell:
            filled[part.name] = None
    holds = [
        i
        for i, cell in enumerate(cells)
        if part.name in cell and (part.required or cell[part.name] is not None)
    ]
    values = pd.Series([cells.iloc[i][part.name] for i in holds], index=cells.index[holds], dtype=object)
    for i, value in zip(holds, _cast_inside(values, part.type, part.required, where).to_list(), strict=True):
        done[i][part.name] = value


_CELLS: dict[type, Any] = {Array: (list, tuple, np.ndarray), Map: Mapping, Object: Mapping}
_NESTED: dict[type, Callable[[pd.Series[Any], Any, str], list[Any]]] = {
    Array: _arrays,
    Map: _maps,
    Object: _objects,
}


def _boolean(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    numeric = values.dtype.kind in "iuf"
    fits = values.isin([0, 1]) if numeric else values.map(lambda v: isinstance(v, bool | np.bool_))
    refuse(values, values.notna() & ~fits.astype(bool), kind, where)
    return values.astype("boolean" if values.isna().any() else "bool")


def _number(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    """Without a detour through floats, and without a whole number that the type can't hold exactly."""
    import pandas as pd

    target, known = np.dtype(_NUMBERS[kind.name]), values[values.notna()]
    done, changed = numbers.converted(known, target)
    refuse(known, pd.Series(changed, index=known.index), kind, where)
    if len(known) == len(values):
        return pd.Series(done, index=values.index)
    absent: Any = target.name.capitalize() if target.kind == "i" else target
    filled: pd.Series[Any] = pd.Series(done, index=known.index, dtype=absent)
    return filled.reindex(values.index)


def _string(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    refuse(values, values.notna() & ~values.map(lambda v: isinstance(v, str)).astype(bool), kind, where)
    return values


def _binary(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    import pandas as pd

    done = [_decoded(value) for value in values]
    undone = pd.Series([value is None for value in done], index=values.index)
    refuse(values, undone & values.notna(), kind, where)
    return pd.Series(done, index=values.index, dtype=object)


def _decoded(value: Any) -> bytes | None:
    """Bytes as they are, text as base64; None for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    try:
        return base64.b64decode(value.replace("\n", ""), validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def _datetime(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    import pandas as pd

    if values.dtype.kind in "biuf" and values.notna().any():
        refuse(values, values.notna(), kind, where)
    try:
        done = pd.to_datetime(values, format="ISO8601", errors="coerce")
        zoned = getattr(done.dtype, "tz", None) is not None or done.dtype == object
    except ValueError:  # some have a zone and some have none
        zoned = True
    if zoned:
        raise InputError(
            f"{where}: found times with a zone, the model takes {kind} without; convert to UTC, drop it"
        )
    refuse(values, done.isna() & values.notna(), kind, where)
    late = (done < pd.Timestamp.min) | (done > pd.Timestamp.max)
    refuse(values, late, kind, f"{where} (MLflow's times go from 1677 to 2262)")
    return done


def _any(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:  # noqa: ARG001 (one of a kind)
    return values


def _one_value_a_row(rows: pd.DataFrame, kind: Type, place: str) -> pd.Series[Any]:
    """The values of a model with a type hint, which MLflow hands over as they are.

    Of a table with several columns each row is an object, or a list where the model takes lists.
    """
    import pandas as pd

    where = f"{place}: the model's input"
    values = rows.iloc[:, 0]
    if len(rows.columns) > 1 or (isinstance(kind, Map | Object) and not _holds(values, Mapping)):
        cells = zip(*(rows[name].to_list() for name in rows.columns), strict=True)
        make = (
            list
            if isinstance(kind, Array)
            else lambda row: dict(zip(map(str, rows.columns), row, strict=True))
        )
        values = pd.Series([make(row) for row in cells], dtype=object)
    if isinstance(kind, Scalar):
        return values if kind.name in _AS_HINTED else _cast(values, kind, False, where)
    values = pd.Series([parsed_text(cell) for cell in values], dtype=object)
    needed = {part.name for part in kind.properties if part.required} if isinstance(kind, Object) else set()
    wrong = values.map(lambda cell: not isinstance(cell, _CELLS[type(kind)]) or not needed <= set(cell))
    refuse(values, wrong.astype(bool) & values.notna(), kind, where)
    return values


def _holds(values: pd.Series[Any], kind: type) -> bool:
    return all(isinstance(parsed_text(cell), kind) for cell in values.dropna())


_SCALARS: dict[str, Callable[[pd.Series[Any], Scalar, str], pd.Series[Any]]] = {
    "boolean": _boolean,
    **dict.fromkeys(_NUMBERS, _number),
    "string": _string,
    "binary": _binary,
    "datetime": _datetime,
    "any": _any,
}
