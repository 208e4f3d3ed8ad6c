"""One column of a DataFrame → values that JSON can hold. Knows pandas' dtypes; nothing of requests."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads.numbers import is_exact

if TYPE_CHECKING:
    import pandas as pd

Cells = list[Any]
_TIME_UNITS = ("s", "ms", "us", "ns")


def json_cells(column: pd.Series[Any]) -> Cells:
    """A column's values, one a row, made of None, bool, int, float, str, list and dict only.

    Missing values are None, bytes base64 text, times ISO 8601 text of one precision for the whole column
    (pandas reads a column of times by the form of its first). Raises InputError for what JSON cannot hold.
    """
    kind = getattr(column.dtype, "kind", "O")
    if kind == "f":
        _refuse_infinity(column)
    if kind in "biuf":
        cells = column.to_list()
    elif kind == "M":
        cells = _iso_times(column)
    else:
        cells = _plain_column(column)
    for row in np.flatnonzero(column.isna().to_numpy()):
        cells[row] = None
    return cells


def _refuse_infinity(column: pd.Series[Any]) -> None:
    infinite = np.flatnonzero(np.isinf(column.to_numpy(dtype="float64", na_value=np.nan)))
    if len(infinite):
        raise InputError(f"{place(column, infinite[0])}: {_NO_INFINITY}")


_NO_INFINITY = (
    "found an infinite number, which JSON cannot hold; send a finite one, or use --format csv or parquet"
)


def place(column: pd.Series[Any], row: int) -> str:
    """A cell as an error names it: rows are counted from 1, by the frame's index."""
    return f"column {column.name!r}, row {column.index[row] + 1}"


def _iso_times(column: pd.Series[Any]) -> Cells:
    zone = getattr(column.dtype, "tz", None)
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else column
    times = naive.to_numpy()  # in the column's own unit: 9999-12-31 is beyond nanoseconds
    texts = np.datetime_as_string(times, unit=_coarsest_unit(times))
    return [f"{text}Z" for text in texts] if zone is not None else texts.tolist()


def _coarsest_unit(times: np.ndarray[Any, Any]) -> Any:
    known = times[~np.isnat(times)]
    return next(unit for unit in _TIME_UNITS if (known.astype(f"datetime64[{unit}]") == known).all())


def _plain_column(column: pd.Series[Any]) -> Cells:
    cells = []
    for row, value in enumerate(column):
        try:
            cells.append(plain(value))
        except ValueError as error:
            raise InputError(f"{place(column, row)}: {error}") from None
    return cells


def plain(value: Any) -> Any:
    """One value as JSON holds it, nested ones included; ValueError, with the reason, where it cannot."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    return _plain_scalar(value)


def _plain_float(value: float) -> float | None:
    if math.isinf(value):
        raise ValueError(_NO_INFINITY)
    return None if math.isnan(value) else float(value)


def _plain_decimal(value: decimal.Decimal) -> float | None:
    if value.is_finite() and not is_exact(value):
        raise ValueError(f"found {value}, more digits than a float holds; round it or drop the column")
    return _plain_float(float(value))


def _plain_array(array: np.ndarray[Any, Any]) -> Any:
    kind = array.dtype.kind
    if kind in "biu" or (kind == "f" and np.isfinite(array).all()):
        return array.tolist()
    if kind == "M":
        texts = np.array(np.datetime_as_string(array), dtype=object)
        texts[np.isnat(array)] = None
        return texts.tolist()
    return plain(array.tolist())


def _plain_scalar(value: Any) -> Any:
    import pandas as pd

    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return _plain_array(np.asarray(value))
    if isinstance(value, np.bool_ | np.number):
        return plain(value.item())
    if isinstance(value, decimal.Decimal):
        return _plain_decimal(value)
    raise ValueError(
        f"found a {type(value).__name__}, which JSON has no form for; drop the column or convert it"
    )
