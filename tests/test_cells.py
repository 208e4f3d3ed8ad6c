"""A column's values become what JSON can hold, and what it cannot hold is refused by name."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.payloads.cells import json_cells, plain


def _cells(values: Any, dtype: Any = None) -> list[Any]:
    return json_cells(pd.Series(values, dtype=dtype, name="x"))


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([True, False], None, [True, False]),
        ([1, 2], "int32", [1, 2]),
        ([2**63], "uint64", [2**63]),
        ([1.5, None], "float64", [1.5, None]),
        ([0.5], "float32", [0.5]),
        ([1, None], "Int64", [1, None]),
        ([True, None], "boolean", [True, None]),
        ([1.5, None], "Float64", [1.5, None]),
        (["a", None], "string", ["a", None]),
        (["a", None], object, ["a", None]),
        (["b", "a"], "category", ["b", "a"]),
        ([b"\x00\xff"], object, ["AP8="]),
        ([decimal.Decimal("1.5")], object, [1.5]),
        ([datetime.date(2020, 1, 2)], object, ["2020-01-02"]),
        ([[1, np.nan], None], object, [[1, None], None]),
        ([{"a": np.float64(2.0), "b": (1, 2)}], object, [{"a": 2.0, "b": [1, 2]}]),
        ([np.array([1, 2], "int32"), np.array([3], "int32")], object, [[1, 2], [3]]),
        ([np.array([1.0, np.nan])], object, [[1.0, None]]),
        ([pd.NA, pd.NaT, np.nan], object, [None, None, None]),
    ],
)
def test_each_dtype_becomes_plain_values(values: Any, dtype: Any, expected: list[Any]) -> None:
    """Every dtype that pandas reads has one form in JSON, and missing values are null."""
    cells = _cells(values, dtype)
    assert cells == expected
    assert [type(cell) for cell in cells] == [type(cell) for cell in expected]
    json.dumps(cells, allow_nan=False)


def test_times_of_a_column_have_one_precision() -> None:
    """pandas reads a column by the form of its first value: all get the fraction that one of them needs."""
    times = pd.to_datetime(pd.Series(["2020-01-01", None, "2020-01-01T00:00:00.25"]), format="ISO8601")
    assert json_cells(times) == ["2020-01-01T00:00:00.000", None, "2020-01-01T00:00:00.250"]
    assert json_cells(times[:1]) == ["2020-01-01T00:00:00"]


def test_times_with_a_zone_are_told_in_utc() -> None:
    """Noon in Berlin in winter is eleven o'clock UTC, and the text says so."""
    times = pd.Series(pd.to_datetime(["2020-01-01T12:00"])).dt.tz_localize("Europe/Berlin")
    assert json_cells(times) == ["2020-01-01T11:00:00Z"]


def test_times_in_arrays() -> None:
    """Times inside an array become text too, and the missing one null."""
    assert plain(np.array(["2020-01-01", "NaT"], "datetime64[s]")) == ["2020-01-01T00:00:00", None]
    assert plain(np.datetime64("2020-01-01")) == "2020-01-01"


@pytest.mark.parametrize("values", [[1.0, np.inf], [1.0, [-np.inf]], [1.0, np.array([np.inf])]])
def test_infinity_is_refused_with_its_place(values: list[Any]) -> None:
    """JSON has no infinity: the error names column and row, from 1, and what to do."""
    with pytest.raises(InputError, match=r"column 'x', row 2: .*infinite.*--format csv"):
        _cells(values)


@pytest.mark.parametrize("value", [pd.Timedelta(1, "s"), 1j, object()])
def test_a_value_without_a_form_is_refused(value: Any) -> None:
    """What JSON cannot express is named by its type."""
    with pytest.raises(InputError, match=rf"column 'x', row 1: found a {type(value).__name__}"):
        _cells([value], object)


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_infinity=False), st.integers(-(2**53), 2**53)), min_size=1)
)
def test_numbers_survive_json(values: list[Any]) -> None:
    """Whatever finite numbers a column holds, JSON gives them back, exactly, and null for NaN."""
    column = pd.Series(values, dtype="float64", name="x")
    back = json.loads(json.dumps(json_cells(column), allow_nan=False))
    assert back == [None if np.isnan(v) else v for v in column]
