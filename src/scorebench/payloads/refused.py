"""What can't be sent, as an error names it: the value, its row, what was expected. Knows no types."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60


def refuse(values: pd.Series[Any], bad: pd.Series[bool], kind: object, where: str) -> None:
    """InputError for the first value where `bad` is true."""
    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    if not len(positions):
        return
    first = values.iloc[positions[:1]]
    value = first.iloc[0].item() if isinstance(first.iloc[0], np.generic) else first.iloc[0]
    found = "no value" if first.isna().all() else " ".join(_brief.repr(value).split())
    raise InputError(
        f"{where}, row {first.index[0] + 1}: found {found}, the model takes {kind}; "
        "correct it or drop the row"
    )


def listed(names: Sequence[Any], at_most: int = 12) -> str:
    """Names as an error lists them."""
    shown = ", ".join(repr(name) for name in names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"


def parsed_text(cell: Any) -> Any:
    """A CSV file holds arrays and objects as JSON text."""
    try:
        return json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        return cell
