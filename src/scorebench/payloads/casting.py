"""Rows and a signature → the rows that the model takes: its columns, in its order, of its types.

Knows pandas and signatures; no files, no requests. Nested types are cast as columns are: the values inside
laid end to end as one column, cast, and put together again.
"""

from __future__ import annotations

import base64
import binascii
import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads.columns import typed
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor, Type

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_TYPED_ITEMS = frozenset({"integer", "float", "datetime"})
"""Items that stay ndarrays: Parquet then writes their type, where Python's numbers would become 64-bit."""
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60


def cast(rows: pd.DataFrame, signature: Signature, place: str) -> pd.DataFrame:
    """The columns that the signature names, as it types them; unnamed ones go by place and are named 0, 1, ….

    A tensor becomes one column, each cell the ndarray of one row. Optional columns may be missing, and
    columns that the model does not take are left out. Raises InputError, which begins with `place`, for a
    missing column and for a value that is not of its type or would be changed by becoming it.
    """
    import pandas as pd

    rows = rows.reset_index(drop=True)
    if signature.is_tensor and not signature.is_named:
        return pd.DataFrame({0: _unnamed_tensor(rows, signature.columns[0].type, place)})
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
    missing = [c.name for c in columns if c.required and c.name not in rows.columns]
    if missing:
        raise InputError(
            f"{place}: found no column {_listed(missing)}, only {_listed(list(rows.columns))}; "
            f"the model takes {_listed([c.name for c in columns])}: add or rename"
        )
    return [(c.name or "", c, rows[c.name]) for c in columns if c.name in rows.columns]


def _refuse_count(rows: pd.DataFrame, expected: int, place: str) -> NoReturn:
    raise InputError(
        f"{place}: found {len(rows.columns)} columns ({_listed(list(rows.columns))}), "
        f"the model takes {expected} by their place; give data that has them"
    )


def _listed(names: Sequence[Any], at_most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"


def _refuse(values: pd.Series[Any], bad: pd.Series[bool], kind: Type, where: str) -> None:
    """InputError for the first value where `bad` is true."""
    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    if not len(positions):
        return
    first = values.iloc[positions[:1]]
    found = "no value" if first.isna().all() else " ".join(_brief.repr(first.iloc[0]).split())
    raise InputError(
        f"{where}, row {first.index[0] + 1}: found {found}, the model takes {kind}; "
        "correct it or drop the row"
    )


def _cast(values: pd.Series[Any], kind: Type, required: bool, where: str) -> pd.Series[Any]:
    """Values, whose index is the row that they came from, as `kind`."""
    import pandas as pd

    if isinstance(kind, Scalar):
        return _SCALARS[kind.name](typed(values), kind, where)
    if isinstance(kind, Tensor):
        return _tensor(values, kind, where)
    cells = pd.Series([_parsed_text(cell) for cell in values], index=values.index, dtype=object)
    wrong = ~cells.map(lambda cell: isinstance(cell, _CELLS[type(kind)])).astype(bool)
    absent = cells.isna() & (not required)
    _refuse(cells, wrong & ~absent, kind, where)
    done = iter(_NESTED[type(kind)](cells[~absent], kind, where))
    return pd.Series([None if gone else next(done) for gone in absent], index=values.index, dtype=object)


def _parsed_text(cell: Any) -> Any:
    """A CSV file holds arrays and objects as JSON text."""
    try:
        return json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        return cell


def _laid_out(cells: pd.Series[Any], parts: Callable[[Any], Any]) -> pd.Series[Any]:
    """All the parts of all the cells in one column, each with the row it came from."""
    import pandas as pd

    items = [(row, item) for row, cell in cells.items() for item in parts(cell)]
    return pd.Series([item for _, item in items], index=[row for row, _ in items], dtype=object)


def _arrays(cells: pd.Series[Any], kind: Array, where: str) -> list[Any]:
    items = _cast(_laid_out(cells, list), kind.items, True, where)
    typed = isinstance(kind.items, Scalar) and kind.items.name in _TYPED_ITEMS
    ends = np.cumsum([len(cell) for cell in cells])
    flat: Any = items.to_numpy() if typed else items.to_list()
    return [flat[end - len(cell) : end] for cell, end in zip(cells, ends, strict=True)]


def _maps(cells: pd.Series[Any], kind: Map, where: str) -> list[Any]:
    values = iter(_cast(_laid_out(cells, dict.values), kind.values, True, where).to_list())
    return [{str(key): next(values) for key in cell} for cell in cells]


def _objects(cells: pd.Series[Any], kind: Object, where: str) -> list[Any]:
    names = {part.name for part in kind.properties}
    needed = {part.name for part in kind.properties if part.required}
    _refuse(cells, cells.map(lambda cell: not needed <= set(cell) <= names).astype(bool), kind, where)
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
    for i, value in zip(holds, _cast(values, part.type, part.required, where).to_list(), strict=True):
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
    _refuse(values, values.isna() | ~fits.astype(bool), kind, where)
    return values.astype(bool)


def _number(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    import pandas as pd

    target = np.dtype(_NUMBERS[kind.name])
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.dtype.kind not in "biuf":
        numbers = numbers.astype("float64")
    _refuse(values, numbers.isna() & (values.notna() | (target.kind == "i")), kind, where)
    plain = _as_numpy(numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        done = plain.astype(target)
    changed = done != plain if target.kind == "i" else np.isinf(done) & ~np.isinf(plain)
    _refuse(values, pd.Series(changed), kind, where)
    return pd.Series(done, index=values.index)


def _as_numpy(numbers: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Without a detour: pandas' nullable whole numbers become floats only where some are missing."""
    if numbers.dtype.kind == "f" or numbers.isna().any():
        return numbers.to_numpy("float64", na_value=np.nan)
    return numbers.to_numpy("uint64" if numbers.dtype.kind == "u" else "int64")


def _string(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    _refuse(values, values.notna() & ~values.map(lambda v: isinstance(v, str)).astype(bool), kind, where)
    return values


def _binary(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:
    import pandas as pd

    done = [_decoded(value) for value in values]
    _refuse(values, pd.Series([value is None for value in done], index=values.index), kind, where)
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
        _refuse(values, values.notna(), kind, where)
    try:
        done = pd.to_datetime(values, format="ISO8601", errors="coerce")
        zoned = getattr(done.dtype, "tz", None) is not None or done.dtype == object
    except ValueError:  # some have a zone and some have none
        zoned = True
    if zoned:
        raise InputError(
            f"{where}: found times with a zone, the model takes {kind} without; convert to UTC, drop it"
        )
    _refuse(values, done.isna() & values.notna(), kind, where)
    return done


def _any(values: pd.Series[Any], kind: Scalar, where: str) -> pd.Series[Any]:  # noqa: ARG001 (one of a kind)
    return values


def _unnamed_tensor(rows: pd.DataFrame, kind: Any, place: str) -> pd.Series[Any]:
    """One column as it is; as many columns as a row of the tensor is long as one."""
    import pandas as pd

    if len(rows.columns) == 1:
        return _tensor(rows.iloc[:, 0], kind, place)
    if kind.shape[1:] != (len(rows.columns),):
        raise InputError(
            f"{place}: found {len(rows.columns)} columns ({_listed(list(rows.columns))}), "
            f"the model takes a {kind}; give data that has as many, or one column of arrays"
        )
    return _tensor(pd.Series(list(rows.to_numpy())), kind, place)


def _tensor(values: pd.Series[Any], kind: Tensor, where: str) -> pd.Series[Any]:
    import pandas as pd

    done = [_fit(_parsed_text(cell) if len(kind.shape) > 1 else cell, kind) for cell in values]
    _refuse(values, pd.Series([cell is None for cell in done]), kind, where)
    return pd.Series(done if len(kind.shape) > 1 else np.stack(done), index=values.index)  # type: ignore[arg-type]


def _fit(cell: Any, kind: Tensor) -> np.ndarray[Any, Any] | None:
    """One row's part of the tensor; None where a value would be changed, or the shape does not fit."""
    dtype, shape = np.dtype(kind.dtype), kind.shape[1:]
    try:
        array = np.asarray(cell)
        done = array.astype(dtype)
    except (ValueError, TypeError, OverflowError):
        return None
    if dtype.kind in "iub" and not np.array_equal(done, array):
        return None
    if dtype.kind == "M":  # NumPy wraps around in silence what is beyond the range of a unit
        done_s, array_s = done.astype("datetime64[s]"), array.astype("datetime64[s]")
        if not np.array_equal(done_s, array_s, equal_nan=True):
            return None
    if -1 not in shape:
        return done.reshape(shape) if done.size == np.prod(shape, dtype=int) else None
    same = len(shape) == done.ndim and all(n in (-1, m) for n, m in zip(shape, done.shape, strict=True))
    return done if same else None


_SCALARS: dict[str, Callable[[pd.Series[Any], Scalar, str], pd.Series[Any]]] = {
    "boolean": _boolean,
    **dict.fromkeys(_NUMBERS, _number),
    "string": _string,
    "binary": _binary,
    "datetime": _datetime,
    "any": _any,
}
