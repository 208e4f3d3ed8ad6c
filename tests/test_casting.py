"""Rows become what the signature says, or an error names the value; nothing is changed in silence."""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.payloads.casting import cast
from scorebench.payloads.signature import Array, Column, Map, Object, Scalar, Signature, Tensor, Type


def _signature(*columns: tuple[str | int | None, Type | str], required: bool = True) -> Signature:
    return Signature(
        tuple(
            Column(name, Scalar(kind) if isinstance(kind, str) else kind, required) for name, kind in columns
        )
    )


def _cast(values: Any, kind: Type | str, *, required: bool = True, dtype: Any = None) -> Any:
    rows = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    return cast(rows, _signature(("x", kind), required=required), "t.csv")["x"]


def test_the_signature_selects_and_orders() -> None:
    """Columns that the model does not take are left out, the others come in its order."""
    rows = pd.DataFrame({"b": [1], "id": ["x"], "a": [2]})
    assert list(cast(rows, _signature(("a", "long"), ("b", "long")), "t.csv").columns) == ["a", "b"]


def test_a_missing_column_is_an_error() -> None:
    """It says what is missing, what was found and what the model takes."""
    rows = pd.DataFrame({"fixed acidity": [7.0], "pH": [3.0]})
    with pytest.raises(InputError) as raised:
        cast(rows, _signature(("fixed_acidity", "double"), ("pH", "double")), "t.csv")
    assert str(raised.value) == (
        "t.csv: found no column 'fixed_acidity', only 'fixed acidity', 'pH'; "
        "the model takes 'fixed_acidity', 'pH': add or rename"
    )


def test_an_optional_column_may_be_missing() -> None:
    """And is then not sent."""
    signature = Signature((Column("a", Scalar("long")), Column("b", Scalar("long"), required=False)))
    assert list(cast(pd.DataFrame({"a": [1]}), signature, "t.csv").columns) == ["a"]


def test_unnamed_inputs_go_by_place() -> None:
    """Whatever their names were; too few are an error."""
    signature = _signature((None, "long"), (None, "double"))
    done = cast(pd.DataFrame({"p": [1], "q": [2], "r": [3]}), signature, "t.csv")
    assert done.columns.equals(pd.RangeIndex(2))
    assert done.iloc[0].tolist() == [1, 2.0]
    with pytest.raises(InputError, match=r"t\.csv: found 1 columns \('p'\), the model takes 2"):
        cast(pd.DataFrame({"p": [1]}), signature, "t.csv")


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "expected"),
    [
        ([True, False], "boolean", "bool", [True, False]),
        ([1, 0], "boolean", "bool", [True, False]),
        ([1, 2], "integer", "int32", [1, 2]),
        ([7.0, 8.0], "long", "int64", [7, 8]),
        (["7", "8"], "long", "int64", [7, 8]),
        ([1, 2], "double", "float64", [1.0, 2.0]),
        ([True, False], "double", "float64", [1.0, 0.0]),
        (["1.5", "2"], "float", "float32", [1.5, 2.0]),
        (["a", "007"], "string", None, ["a", "007"]),
        (["AP8=", "AA==\n"], "binary", "object", [b"\x00\xff", b"\x00"]),
        ([b"a", bytearray(b"b")], "binary", "object", [b"a", b"b"]),
        (["2020-01-01"], "datetime", None, [pd.Timestamp("2020-01-01")]),
        ([datetime.date(2020, 1, 1)], "datetime", None, [pd.Timestamp("2020-01-01")]),
        ([1, "a"], "any", "object", [1, "a"]),
    ],
)
def test_values_become_their_type(values: Any, kind: str, dtype: Any, expected: list[Any]) -> None:
    """Where nothing is lost by it; the dtype is the one that MLflow's own reader makes."""
    done = _cast(values, kind)
    assert done.tolist() == expected
    if dtype:
        assert done.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2], "boolean"),
        (["yes"], "boolean"),
        ([2.5], "long"),
        ([2**31], "integer"),
        ([float(2**63)], "long"),
        ([2**63], "long"),
        ([float("inf")], "long"),
        (["abc"], "double"),
        ([1e39], "float"),
        ([5], "string"),
        (["not base64!"], "binary"),
        ([5], "binary"),
        ([5], "datetime"),
        (["tomorrow"], "datetime"),
        ([1], Array(Scalar("long"))),
        ([[2.5]], Array(Scalar("long"))),
        (["[1"], Array(Scalar("long"))),
        ([[1]], Map(Scalar("long"))),
        ([{"a": "b"}], Map(Scalar("long"))),
        ([{"b": 1}], Object((Column("a", Scalar("long")),))),
        ([{"a": 1, "b": 1}], Object((Column("a", Scalar("long")),))),
        ([{"a": "x"}], Object((Column("a", Scalar("long")),))),
        ([[1, 2]], Tensor("float32", (-1, 3))),
        ([[1.5, 2.0]], Tensor("int64", (-1, 2))),
        ([300], Tensor("uint8", (-1,))),
        ([["a", "b"]], Tensor("float32", (-1, 2))),
        ([[[1], [2, 3]]], Tensor("float32", (-1, -1, -1))),
        ([[1, 2]], Tensor("float32", (-1, -1, -1))),
    ],
)
def test_a_wrong_type_is_an_error_with_its_row(values: list[Any], kind: Type | str) -> None:
    """The second row here; the first is right for every type."""
    good: dict[str, Any] = {"string": "x", "binary": "AA==", "boolean": True, "datetime": None}
    first: Any = good.get(str(kind), 1)
    first = {Array: [1], Map: {"k": 1}, Object: {"a": 1}}.get(type(kind), first)
    if isinstance(kind, Tensor):
        first = np.ones([1 if n == -1 else n for n in kind.shape[1:]], int).tolist()
    with pytest.raises(InputError, match=r"t\.csv: column 'x', row 2: found .*, the model takes ") as raised:
        _cast([first, *values], kind, dtype=object)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["boolean", "integer", "long", "string", "binary"])
def test_a_missing_value_inside_an_array_is_an_error_where_mlflow_has_none(kind: str) -> None:
    """Inside an array MLflow answers 400 to a null in these, or takes it for False."""
    with pytest.raises(InputError, match=r"column 'x', row 1: found no value, the model takes "):
        _cast([[None]], Array(Scalar(kind)))


@pytest.mark.parametrize(
    "kind", ["boolean", "integer", "long", "binary", "float", "double", "string", "datetime", "any"]
)
def test_a_missing_value_stays_missing(kind: str) -> None:
    """Casting leaves it to the format, and to MLflow's reader of it, whether a missing value may be sent."""
    assert _cast([None, None], kind).isna().all()


def test_times_with_a_zone_are_an_error() -> None:
    """MLflow's times have none, and to drop it would be to change the hour."""
    for values in (["2020-01-01T00:00:00Z"], ["2020-01-01T00:00:00+01:00", "2020-01-01"]):
        with pytest.raises(InputError, match="found times with a zone, the model takes datetime without"):
            _cast(values, "datetime")


def test_nested_values_are_cast_inside() -> None:
    """An object that holds arrays and optional properties: whole floats become integers, base64 bytes."""
    kind = Object(
        (
            Column("n", Array(Scalar("long"))),
            Column("b", Scalar("binary"), required=False),
            Column("m", Map(Scalar("double"))),
        )
    )
    rows = [
        {"n": [1.0, 2], "b": "AA==", "m": {}},
        {"n": [], "m": {"k": 1}},
        {"n": [3], "b": None, "m": {"k": 2}},
    ]
    done = _cast(rows, kind).tolist()
    assert done == [
        {"n": [1, 2], "b": b"\x00", "m": {}},
        {"n": [], "m": {"k": 1.0}},
        {"n": [3], "b": None, "m": {"k": 2.0}},
    ]
    assert type(done[0]["n"][0]) is int


def test_csv_text_becomes_nested_values() -> None:
    """In a CSV file an array is JSON text."""
    assert _cast(["[1, 2]", "[]"], Array(Scalar("long"))).tolist() == [[1, 2], []]
    assert _cast(['{"a": 1}'], Map(Scalar("double"))).tolist() == [{"a": 1.0}]


def test_optional_nested_values_may_be_missing() -> None:
    """Where the column is not required, and only there."""
    assert _cast([[1], None], Array(Scalar("long")), required=False).tolist() == [[1], None]
    with pytest.raises(InputError, match="row 2: found no value"):
        _cast([[1], None], Array(Scalar("long")))


def test_arrays_of_32_bits_stay_so() -> None:
    """Parquet must know the width; a list of Python's numbers would be read as 64 bits."""
    assert _cast([[1, 2]], Array(Scalar("integer")))[0].dtype == np.int32
    assert _cast([[1.5]], Array(Scalar("float")))[0].dtype == np.float32


def test_a_tensor_is_one_column_of_arrays() -> None:
    """From as many columns as it is long, from nested lists, or from flat ones; float32 as the model says."""
    signature = _signature((None, Tensor("float32", (-1, 4))))
    wide = cast(pd.DataFrame([[1, 2, 3, 4], [5, 6, 7, 8]], columns=list("abcd")), signature, "t.csv")
    assert wide.columns.equals(pd.RangeIndex(1))
    assert wide[0][1].tolist() == [5, 6, 7, 8]
    assert wide[0][1].dtype == np.float32
    square = Tensor("int64", (-1, 2, 2))
    assert _cast([[[1, 2], [3, 4]]], square)[0].tolist() == [[1, 2], [3, 4]]
    assert _cast([[1, 2, 3, 4]], square)[0].tolist() == [[1, 2], [3, 4]]
    assert _cast([1, 2], Tensor("float64", (-1,))).dtype == np.float64
    assert _cast([[[1], [2]], [[3]]], Tensor("float64", (-1, -1, 1)))[1].shape == (1, 1)


def test_a_tensor_of_another_width_is_an_error() -> None:
    """Five columns for four places."""
    with pytest.raises(
        InputError, match=r"t\.csv: found 5 columns .*, the model takes a tensor of float32 \[-1, 4\]"
    ):
        cast(pd.DataFrame(np.zeros((1, 5))), _signature((None, Tensor("float32", (-1, 4)))), "t.csv")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.array([2**60 + 1, None], dtype="Int64"), "double"),
        (["9007199254740993", None], "double"),
        ([2**53 + 1], "double"),
        ([2**24 + 1], "float"),
        ([decimal.Decimal("12345678901234567.89"), None], "double"),
        (["9999-12-31"], "datetime"),
    ],
)
def test_a_value_that_its_type_changes_is_an_error(values: Any, kind: str) -> None:
    """A double holds whole numbers to 2**53, a float to 2**24; MLflow's times are 64 bits of nanoseconds."""
    with pytest.raises(InputError, match=r"row 1: found .*, the model takes "):
        _cast(values, kind)


def test_every_digit_survives_beside_a_missing_value() -> None:
    """2**60 + 1 is no float: a blank beside it must not make it one."""
    for values in (pd.array([2**60 + 1, None], dtype="Int64"), [str(2**60 + 1), None], [2**60 + 1, None]):
        assert list(_cast(values, "long", dtype=getattr(values, "dtype", object))) == [2**60 + 1, pd.NA]
    assert _cast([decimal.Decimal("0.1"), None], "double")[0] == 0.1


def test_columns_named_by_whole_numbers_keep_their_names() -> None:
    """As a DataFrame without names has them; in a CSV file they are text."""
    signature = _signature((0, "long"), (1, "double"))
    for names in ([0, 1], ["0", "1"]):
        done = cast(pd.DataFrame([[1, 2.5]], columns=names), signature, "t.csv")
        assert [*done.columns] == [0, 1]
        assert done.iloc[0].tolist() == [1, 2.5]


def test_a_flat_table_becomes_a_tensor_of_as_many_values() -> None:
    """784 columns are a picture of 28 by 28."""
    signature = _signature((None, Tensor("float32", (-1, 28, 28))))
    done = cast(pd.DataFrame(np.arange(784.0).reshape(1, 784)), signature, "t.csv")
    assert done[0][0].shape == (28, 28)
    assert done[0][0][1, 2] == 30


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_every_long_survives(values: list[int]) -> None:
    """No detour through a float: all 64 bits are kept, from numbers and from text."""
    assert list(_cast(values, "long")) == values
    assert _cast([str(v) for v in values], "long", dtype=object).tolist() == values


@given(st.lists(st.binary(), min_size=1))
def test_every_byte_survives(values: list[bytes]) -> None:
    """Base64 of any bytes gives them back, line breaks of MIME included."""
    assert _cast([base64.encodebytes(v).decode() for v in values], "binary", dtype=object).tolist() == values


def test_the_given_rows_are_left_alone() -> None:
    """Casting makes new rows."""
    rows = pd.DataFrame({"x": pd.Series([{"a": 1.0}], dtype=object)})
    cast(rows, _signature(("x", Object((Column("a", Scalar("long")),)))), "t.csv")
    assert rows["x"][0] == {"a": 1.0}
    assert type(rows["x"][0]["a"]) is float


def test_a_time_beyond_a_tensors_unit_is_an_error() -> None:
    """NumPy would make 1816 of 9999 without a word."""
    signature = Signature((Column("a", Tensor("datetime64[ns]", (-1,))),))
    with pytest.raises(InputError, match=r"row 2: found '9999-12-31'"):
        cast(pd.DataFrame({"a": ["2024-01-01", "9999-12-31"]}), signature, "d.csv")


def test_an_error_about_an_array_is_one_line() -> None:
    """NumPy shows a long array in several lines."""
    signature = Signature((Column(None, Tensor("float64", (-1, 2))),))
    with pytest.raises(InputError) as caught:
        cast(pd.DataFrame({"a": ["x" * 300], "b": [1]}), signature, "d.csv")
    assert "\n" not in str(caught.value)
