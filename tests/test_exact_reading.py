"""What a file holds is what is sent: no reader and no format changes a digit, a word or a missing value."""

from __future__ import annotations

import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.payloads.payload import encode
from scorebench.payloads.rows import read_rows, rows_for
from scorebench.payloads.signature import Column, ModelInfo, Scalar, Signature
from tests.mlflow_reader import frame_values, received, require_mlflow, values_of

ID = 123_456_789_012_345_678
"""Eighteen digits; the nearest float is …680."""


def read(folder: Path, text: str, **types: str) -> pd.DataFrame:
    """The rows of a CSV file, for a model with these column types if there are any."""
    path = folder / "d.csv"
    path.write_text(text)
    columns = tuple(Column(name, Scalar(kind)) for name, kind in types.items())
    return rows_for(path, ModelInfo("m", Signature(columns)) if columns else None, seed=1)


def parquet(folder: Path, table: pa.Table) -> pd.DataFrame:
    """The rows of a Parquet file with this table."""
    pq.write_table(table, folder / "d.parquet")
    return read_rows(folder / "d.parquet")


def sent(rows: pd.DataFrame) -> list[Any]:
    """The records of the body that is sent."""
    (body,) = encode(rows, "records", rows_per_call=len(rows)).bodies
    records: list[Any] = json.loads(body)["dataframe_records"]
    return records


# ---- CSV ---------------------------------------------------------------------------------------------------


def test_long_ids_beside_a_blank_keep_their_digits(tmp_path: Path) -> None:
    """One blank made other numbers of all of them."""
    text = f"id,x\n{ID},1\n,2\n"
    for rows in (read(tmp_path, text), read(tmp_path, text, id="any", x="long")):
        assert sent(rows) == [{"id": ID, "x": 1}, {"id": None, "x": 2}]


def test_words_that_mean_missing_are_words_in_a_text_column(tmp_path: Path) -> None:
    """A blank is missing, a quoted blank is an empty text, and NA is a word."""
    text = 't,n\na,1\nNA,2\nnull,3\nNone,4\n"",5\n,6\n'
    expected = ["a", "NA", "null", "None", "", None]
    for rows in (read(tmp_path, text), read(tmp_path, text, t="string", n="long")):
        assert [record["t"] for record in sent(rows)] == expected


def test_words_that_mean_missing_are_missing_in_a_column_of_numbers(tmp_path: Path) -> None:
    """As every program that writes CSV means them."""
    rows = read(tmp_path, "a,b,c\n1,0.5,True\nNA,nan,\nnull,N/A,False\n")
    assert frame_values(rows) == [[1, 0.5, True], [None, None, None], [None, None, False]]


def test_whole_numbers_beyond_64_bits_and_beside_fractions(tmp_path: Path) -> None:
    """2**64 - 1 and 10**25 stay; beside 0.5 an id stays whole."""
    rows = read(tmp_path, f"a,b,c\n{2**64 - 1},{10**25},{ID}\n1,1,0.5\n")
    assert sent(rows) == [{"a": 2**64 - 1, "b": 10**25, "c": ID}, {"a": 1, "b": 1, "c": 0.5}]


@pytest.mark.parametrize("text", ["0x10", "1_000", "1d", "1,5", "one", "+-1"])
def test_text_that_is_no_number_stays_text(text: str, tmp_path: Path) -> None:
    """Arrow alone would read 0x10 as 16, and Python 1_000 as a thousand."""
    assert sent(read(tmp_path, f'a,b\n"{text}",1\n')) == [{"a": text, "b": 1}]


def test_a_value_that_the_model_can_not_hold_is_named(tmp_path: Path) -> None:
    """The file, the column, the row."""
    with pytest.raises(InputError, match=rf"d\.csv: column 'id', row 2: found {ID}, the model takes double"):
        read(tmp_path, f"id\n1\n{ID}\n", id="double")


def test_digits_are_text_where_the_model_takes_text(tmp_path: Path) -> None:
    """Also where its columns have no names; base64 and dates of digits alone are no numbers either."""
    rows = read(tmp_path, "z,b,d\n007,1234,2020\n", z="string", b="binary", d="datetime")
    assert frame_values(rows) == [["007", b"\xd7\x6d\xf8", pd.Timestamp("2020-01-01")]]
    unnamed = ModelInfo("m", Signature((Column(None, Scalar("string")),)))
    assert frame_values(rows_for(tmp_path / "d.csv", unnamed, seed=1)) == [["007"]]


# ---- Parquet -----------------------------------------------------------------------------------------------


def test_parquet_numbers_beside_nulls_keep_their_digits(tmp_path: Path) -> None:
    """64 bits, signed or not, and inside lists, objects and maps."""
    table = pa.table(
        {
            "i": pa.array([ID, None], pa.int64()),
            "u": pa.array([2**64 - 1, None], pa.uint64()),
            "l": pa.array([[ID, None], None], pa.list_(pa.int64())),
            "s": pa.array([{"a": ID}, {"a": None}]),
            "m": pa.array([[("k", ID)], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    assert sent(parquet(tmp_path, table)) == [
        {"i": ID, "u": 2**64 - 1, "l": [ID, None], "s": {"a": ID}, "m": {"k": ID}},
        {"i": None, "u": None, "l": None, "s": {"a": None}, "m": None},
    ]


def test_a_decimal_with_more_digits_than_a_float_is_named(tmp_path: Path) -> None:
    """0.1 is sent as 0.1; nineteen digits are refused, not rounded."""
    short = [decimal.Decimal("0.10"), None]
    assert sent(parquet(tmp_path, pa.table({"a": short}))) == [{"a": 0.1}, {"a": None}]
    rows = parquet(tmp_path, pa.table({"a": [decimal.Decimal(1), decimal.Decimal("12345678901234567.89")]}))
    with pytest.raises(InputError, match=r"column 'a', row 2: found 12345678901234567.89, more digits than"):
        encode(rows)


def test_a_categorical_column_is_its_values(tmp_path: Path) -> None:
    """MLflow answers 400 to pandas' categories: from Parquet to Parquet they become text."""
    require_mlflow()
    from mlflow.types import ColSpec, Schema

    pd.DataFrame({"a": pd.Categorical(["x", None, "y"])}).to_parquet(tmp_path / "d.parquet")
    schema = Schema([ColSpec("string", "a")])
    for rows in (read_rows(tmp_path / "d.parquet"), pd.DataFrame({"a": pd.Categorical(["x", None, "y"])})):
        assert values_of(received(encode(rows, "parquet", rows_per_call=3), schema)) == [["x"], [None], ["y"]]


@pytest.mark.parametrize("index", [pd.Index([7, 9], name="id"), pd.RangeIndex(7, 11, 2, name="id")])
def test_a_named_index_is_a_column(index: pd.Index[Any], tmp_path: Path) -> None:
    """It was dropped in silence; row labels without a name are no data."""
    pd.DataFrame({"a": [1, 2]}, index=index).to_parquet(tmp_path / "d.parquet")
    assert sent(read_rows(tmp_path / "d.parquet")) == [{"a": 1, "id": 7}, {"a": 2, "id": 9}]


def test_columns_named_by_whole_numbers_are_read_as_such(tmp_path: Path) -> None:
    """Parquet writes their names as text and pandas notes what they were."""
    pd.DataFrame({0: [1.5], 1: [2.5]}).to_parquet(tmp_path / "d.parquet")
    assert [*read_rows(tmp_path / "d.parquet").columns] == [0, 1]


# ---- every type with nulls, through every reader -----------------------------------------------------------

_values: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "long": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "unsigned": (st.integers(0, 2**64 - 1), pa.uint64()),
    "small": (st.integers(-128, 127), pa.int8()),
    "double": (st.floats(allow_nan=False, allow_infinity=False), pa.float64()),
    "boolean": (st.booleans(), pa.bool_()),
    "string": (st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), pa.string()),
    "word": (st.sampled_from(["NA", "null", "None", "nan", "a"]), pa.string()),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Up to eight rows, with nulls, of one column of each kind; one text at least is no name for missing."""
    count = draw(st.integers(1, 8))
    columns = {}
    for name, (values, kind) in _values.items():
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=count, max_size=count))
        cells += [{"string": "text", "word": "text", "boolean": True}.get(name, 1)]
        columns[name] = pa.array(cells, kind)
    return pa.table(columns)


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = table.to_pylist()
    return records


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_any_table_is_sent_as_parquet_and_json_files_have_it(
    table: pa.Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Arrow's own view of the table is the body's."""
    folder = tmp_path_factory.mktemp("d")
    assert sent(parquet(folder, table)) == _plain(table)
    (folder / "d.json").write_text(json.dumps(_plain(table)))
    assert sent(read_rows(folder / "d.json")) == _plain(table)


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_any_table_is_sent_as_csv_files_have_it(
    table: pa.Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Written by Arrow, where a missing value is a blank and an empty text is quoted."""
    from pyarrow import csv

    folder = tmp_path_factory.mktemp("d")
    csv.write_csv(table, folder / "d.csv")
    types = dict.fromkeys(("string", "word"), "string")
    columns = tuple(Column(name, Scalar(types.get(name, "any"))) for name in table.column_names)
    rows = rows_for(folder / "d.csv", ModelInfo("m", Signature(columns)), seed=1)
    assert sent(rows) == _plain(table)


# ---- arrays ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["instances", "inputs"])
@pytest.mark.parametrize("second", [["a", "b"], [True, False]])
def test_unnamed_columns_of_several_types_are_no_array(second: list[Any], format: str) -> None:
    """NumPy makes one type of them: 1 and "a" become two texts. In split each column has its own."""
    mixed = pd.DataFrame({0: [1.5, 2.5], 1: second})
    with pytest.raises(InputError, match=rf"--format {format}: .*one array, whose values have one type"):
        encode(mixed, format)
    signature = Signature((Column(None, Scalar("long")), Column(None, Scalar("double"))))
    numbers = pd.DataFrame({0: [1, 2], 1: [0.5, 1.5]})
    with pytest.raises(InputError, match="one array, whose values have one type"):
        encode(numbers, format, signature=signature)
    assert (
        len(encode(numbers, format).bodies) == len(encode(numbers, "split", signature=signature).bodies) == 2
    )


def test_columns_named_by_whole_numbers_arrive_in_split() -> None:
    """Names 5 and 7 are sent as numbers, as the model's signature has them, and not as text."""
    require_mlflow()
    from mlflow.types import Schema

    columns = [{"name": 5, "type": "double", "required": True}, {"name": 7, "type": "long", "required": True}]
    signature = Signature((Column(5, Scalar("double")), Column(7, Scalar("long"))))
    rows = pd.DataFrame({5: [0.5, 1.5], 7: np.array([1, 2])})
    payload = encode(rows, signature=signature, rows_per_call=2)
    assert payload.bodies == (b'{"dataframe_split":{"columns":[5,7],"data":[[0.5,1],[1.5,2]]}}',)
    assert values_of(received(payload, Schema.from_json(json.dumps(columns)))) == [[0.5, 1], [1.5, 2]]
