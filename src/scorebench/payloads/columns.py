"""Lists of values → columns of a DataFrame, typed without loss. Knows pandas' types; nothing of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def frame(columns: Mapping[Any, Sequence[Any]]) -> pd.DataFrame:
    """A DataFrame of these columns, each with the type of its values."""
    import pandas as pd

    return pd.DataFrame({name: _series(values) for name, values in columns.items()})


def typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects with the type that all of them have."""
    try:
        return column.infer_objects()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and Arrow's text can't
        return column


def is_named(rows: pd.DataFrame) -> bool:
    """Whether columns go by name. Where all names are whole numbers, columns go by their place."""
    import numpy as np

    return not all(isinstance(name, int | np.integer) for name in rows.columns)


def _series(values: Sequence[Any]) -> pd.Series[Any]:
    """Whole numbers and booleans keep their type beside missing values."""
    import pandas as pd

    kinds = {type(value) for value in values} - {type(None)}
    missing = any(value is None for value in values)
    if kinds == {int} and missing and all(value is None or abs(value) < 2**63 for value in values):
        return pd.Series(list(values), dtype="Int64")
    if kinds == {bool} and missing:
        return pd.Series(list(values), dtype="boolean")
    plain = len(kinds) == 1 or (kinds == {int, float} and not any(map(_loses_digits, values)))
    column = pd.Series(list(values), dtype=object)
    return typed(column) if plain else column


def _loses_digits(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 2**53
