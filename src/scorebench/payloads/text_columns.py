"""Columns of text → numbers or booleans, where every text is one. Knows Arrow's texts; nothing of files."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from scorebench.payloads.columns import from_arrow, series

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = r"^[+-]?[0-9]+$"
_NUMBER = r"^[+-]?((([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)|(?i:inf|infinity))$"
_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}


def from_text(column: Any, missing: Set[str]) -> pd.Series[Any]:
    """A column of Arrow's texts with the type that all of them have; the texts where they have none.

    In a column of numbers or booleans the texts `missing` are missing values. In one of text they are text.
    Whole numbers keep every digit, however many they have and whatever else the column holds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(column)
    known = pc.if_else(pc.is_in(bare, value_set=pa.array(sorted(missing))), None, bare)
    if known.null_count == len(known):
        return from_arrow(known.cast(pa.float64()) if column.null_count == len(column) else column)
    if _all_match(known, _WHOLE):
        return _whole(known)
    if _all_match(known, _NUMBER):
        return _numbers(known)
    if pc.all(pc.is_in(known.drop_null(), value_set=pa.array(list(_BOOLEANS)))).as_py():
        return series([None if text is None else _BOOLEANS[text] for text in known.to_pylist()])
    return from_arrow(column)


def _all_match(column: Any, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _whole(column: Any) -> pd.Series[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    unsigned = pc.replace_substring_regex(column, r"^\+", "")
    for kind in (pa.int64(), pa.uint64()):
        try:
            return from_arrow(unsigned.cast(kind))
        except pa.ArrowInvalid:
            continue
    return series([None if text is None else int(text) for text in unsigned.to_pylist()])


def _numbers(column: Any) -> pd.Series[Any]:
    import pyarrow as pa

    if not _has_long_whole(column):
        return from_arrow(column.cast(pa.float64()))
    return series([None if text is None else _number(text) for text in column.to_pylist()])


def _has_long_whole(column: Any) -> bool:
    """Whether a whole number may have more digits than a float holds."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(column, r"^[+-]?[0-9]{16,}$")).as_py())


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("+-").isdigit() else float(text)
