"""Rows → one column of arrays, as a tensor of the model takes them. Knows NumPy's shapes and types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scorebench.errors import InputError
from scorebench.payloads.refused import listed, parsed_text, refuse

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.signature import Tensor


def unnamed_tensor(rows: pd.DataFrame, kind: Any, place: str) -> pd.Series[Any]:
    """One column as it is; of several columns each row becomes one array, if it has as many values."""
    import pandas as pd

    if len(rows.columns) == 1:
        return tensor(rows.iloc[:, 0], kind, place)
    if len(rows.columns) != np.prod(kind.shape[1:]):
        raise InputError(
            f"{place}: found {len(rows.columns)} columns ({listed(list(rows.columns))}), "
            f"the model takes a {kind}; give data that has as many, or one column of arrays"
        )
    return tensor(pd.Series(list(rows.to_numpy())), kind, place)


def tensor(values: pd.Series[Any], kind: Tensor, where: str) -> pd.Series[Any]:
    import pandas as pd

    done = [_fit(parsed_text(cell) if len(kind.shape) > 1 else cell, kind) for cell in values]
    refuse(values, pd.Series([cell is None for cell in done]), kind, where)
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
