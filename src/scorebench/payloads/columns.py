"""Values of Python or Arrow → columns of a DataFrame, typed without loss. Knows no file and no format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def frame(columns: Mapping[Any, Sequence[Any]]) -> pd.DataFrame:
    """A DataFrame of these columns, each with the type of its values."""
    import pandas as pd

    return pd.DataFrame({name: series(values) for name, values in columns.items()})


def typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects with the type that all of them have, unless a whole number would lose digits."""
    if column.dtype == object and set(map(type, column)) - {int} and any(map(_loses_digits, column)):
        return column
    try:
        return column.infer_objects()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and Arrow's text can't
        return column


def is_named(rows: pd.DataFrame) -> bool:
    """Whether columns go by name. Where they are called 0, 1, 2, …, they go by their place."""
    return [*rows.columns] != [*range(len(rows.columns))]


def series(values: Sequence[Any]) -> pd.Series[Any]:
    """A column with the type of its values, which whole numbers and booleans keep beside missing ones."""
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


def from_arrow(column: Any) -> pd.Series[Any]:
    """A column of Arrow's with all its digits: pandas' own conversion makes floats of numbers beside nulls.

    Dictionaries (categories) become their values, nested values Python's lists and dicts. ValueError for a
    map that has a key twice.
    """
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return from_arrow(column.cast(kind.value_type))
    if pa.types.is_nested(kind) and not _is_plain_list(column):
        return pd.Series([_plain(value, kind) for value in column.to_pylist()], dtype=object)
    return column.to_pandas(types_mapper=_nullable().get if column.null_count else None)  # type: ignore[no-any-return]


def _nullable() -> dict[Any, Any]:
    """pandas' types that can be missing, by Arrow's."""
    import pandas as pd
    import pyarrow as pa

    signed = {pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype()}
    unsigned = {pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype()}
    longest = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    return {**signed, **unsigned, **longest, pa.bool_(): pd.BooleanDtype()}


def _is_plain_list(column: Any) -> bool:
    """A list of numbers without nulls, which an ndarray holds as it is, with its type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or not pa.types.is_primitive(kind.value_type):
        return False
    return bool(pc.list_flatten(column).null_count == 0)


def _plain(value: Any, kind: Any) -> Any:
    """Arrow's maps come as lists of pairs: they become dicts, at any depth."""
    import pyarrow as pa

    if value is None or not pa.types.is_nested(kind):
        return value
    if pa.types.is_map(kind):
        found = {key: _plain(item, kind.item_type) for key, item in value}
        if len(found) < len(value):
            keys = [key for key, _ in value]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"found key {twice!r:.60} twice in a map, expected each once")
        return found
    if pa.types.is_struct(kind):
        return {field.name: _plain(value[field.name], field.type) for field in kind}
    return [_plain(item, kind.value_type) for item in value]
