"""A data file that is missing, empty, broken or of no known form is one line that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorebench.errors import InputError
from scorebench.payloads.rows import read_rows, rows_for

TENSOR = '{"name": "a", "shape": [1], "datatype": "INT64", "data": [1]}'
MAP_TWICE = pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64()))


def _file(directory: Path, name: str, content: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("d.csv", "", "the file is empty, expected rows"),
        ("d.csv", "a,b\n", "found no rows, expected at least one"),
        ("d.csv", "\n\n", "found no CSV table"),
        ("d.csv", "a,b\n1,2\n1,2,3\n", "found no CSV table: .*Row #3: Expected 2 columns, got 3"),
        ("d.csv", "a,b\n1,2,3\n4,5,6\n", "found no CSV table: "),
        ("d.csv", "a,a\n1,2\n", "found two columns named 'a'"),
        ("d.csv", 'a,b\n"1,2\n', "found no CSV table: "),
        # Spreadsheets of half of Europe: 7,4 is seven and four tenths. As text a model rejects it.
        (
            "d.csv",
            "pH;a;b\n3;7,4;x\n4;8;y\n",
            "column 'a': found '7,4', expected a number with a decimal point",
        ),
        ("d.csv", "a\tb\n,5\t1\n", "column 'a': found ',5', expected a number with a decimal point"),
        (
            "d.csv",
            "a\n1;2;3\n",
            "found one column, 'a', with '1;2;3' in it; expected columns with a comma, a",
        ),
        ("d.csv", "a|b|c\n1|2|3\n", r"found one column, 'a\|b\|c'"),
        ("d.csv", b"a\n\xff\xfe\n", "not UTF-8"),
        ("d.parquet", "no parquet", "found no Parquet file"),
        ("d.parquet", b"PAR1\0\0PAR1", "found no Parquet file"),
        ("d.parquet", b"PAR1" + bytes(20) + b"PAR1", "found no Parquet file"),
        ("d.json", f'[{{"a": {"9" * 5_000}}}]', "found a whole number of more than 4,300 digits; shorten it"),
        ("d.json", "{", r"found no JSON \(line 1, column 2"),
        ("d.json", b"\xff", "not UTF-8"),
        ("d.json", "[]", "found no rows"),
        ("d.json", "[{}]", "found no rows"),
        ("d.json", '[{"a": NaN}]', "found a bare NaN, which is not JSON; write null"),
        ("d.json", '[{"a": -Infinity}]', "found a bare -Infinity"),
        ("d.json", "7", "found a int; expected exactly one of"),
        ("d.json", "{}", "found no keys; expected exactly one of"),
        ("d.json", '[{"a": 1}, 2]', "objects and other values mixed"),
        ("d.json", '{"dataframe_records": [[1]]}', "found a row that is no object"),
        ("d.json", '{"dataframe_records": 5}', "found a int, expected a list of rows"),
        ("d.json", '{"dataframe_split": [1]}', "found no list of rows under 'data'"),
        ("d.json", '{"dataframe_split": {"columns": ["a"], "data": [1]}}', "found a row that is no list"),
        ("d.json", '{"columns": ["a", "b"], "data": [[1, 2], [1]]}', "row 2: found 1 values, expected 2"),
        ("d.json", '{"columns": ["a", "a"], "data": [[1, 2]]}', "expected a list of names, each once"),
        ("d.json", '{"inputs": {"a": [1], "b": [1, 2]}}', "columns of unequal length"),
        ("d.json", '[{"a": 1, "b": {"c": 1, "c": 2}}]', "found key 'c' twice in one object; keep one"),
        ("d.jsonl", '{"a": 1}\n{"a": 1, "a": 2}\n', "line 2: found key 'a' twice in one object; keep one"),
        (
            "d.json",
            f'{{"inputs": [{TENSOR}, {TENSOR}]}}',
            "input 'a': found it twice, expected each name once",
        ),
        ("d.json", f'{{"inputs": [{TENSOR}]}}'.replace('"a"', "[1]"), "found a name that is no text"),
        (
            "d.json",
            '{"columns": ["a", null], "data": [[1, 2]]}',
            "a column named None, expected text or a whole",
        ),
        (
            "d.json",
            '{"columns": [true], "data": [[1]]}',
            "a column named True, expected text or a whole number",
        ),
        (
            "d.json",
            '{"instances": [1], "params": {"top_k": 3}}',
            "found 'params' beside the rows, .*; give them as --params and take them out, or send .* --body",
        ),
        (
            "d.json",
            '{"messages": [{"role": "user"}]}',
            "found a chat body .key 'messages'., expected rows; send it with --body",
        ),
        ("d.json", '{"inputs": [1], "instances": [1]}', "found keys 'inputs' and 'instances'; .*Keep one"),
        ("d.txt", "a\n1\n", "found suffix '.txt', expected .json, .csv, .parquet, .jsonl"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(
    name: str, content: str | bytes, complaint: str, tmp_path: Path
) -> None:
    """One line: the file, what was found, what was expected, what to do."""
    path = _file(tmp_path, name, content)
    with pytest.raises(InputError, match=complaint) as raised:
        read_rows(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_no_file_is_an_error(tmp_path: Path) -> None:
    """And so is a folder."""
    with pytest.raises(InputError, match=r"gone\.csv: found no such file, expected a data file"):
        read_rows(tmp_path / "gone.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"found a folder without \.parquet files"):
        read_rows(tmp_path / "folder.csv")


@pytest.mark.parametrize("limit", [0, -3])
def test_no_rows_asked_for_is_an_error(limit: int, tmp_path: Path) -> None:
    """The number comes back in the message."""
    with pytest.raises(InputError, match=f"--rows: found {limit}, expected 1 or more"):
        read_rows(_file(tmp_path, "d.csv", "a\n1\n"), limit=limit)
    with pytest.raises(InputError, match=f"--rows: found {limit}, expected 1 or more"):
        rows_for(None, None, limit=limit, seed=1)


def test_parquet_may_name_columns_as_rows_cannot(tmp_path: Path) -> None:
    """Two columns of one name, or names of two levels, are one line that says which."""
    twice = pa.table([[1], [2]], names=["a", "a"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(InputError, match=r"twice.parquet: found two columns named 'a'"):
        read_rows(tmp_path / "twice.parquet")
    levels = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
    pd.DataFrame([[1, 2]], columns=levels).to_parquet(tmp_path / "levels.parquet")
    with pytest.raises(InputError, match=r"found a column named \('a', 'b'\), expected names of one level"):
        read_rows(tmp_path / "levels.parquet")


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            {"a": [1], "i": [5]},
            "found column 'i' and row labels of the same name; rename the index, or drop it",
        ),
        (
            {"a": [1], "m": MAP_TWICE},
            "column 'm': found key 'k' twice in a map, expected each once; convert it",
        ),
        (
            {"a": [1], "t": pa.array([1], pa.time64("ns"))},
            "column 't': .*nanoseconds; convert it, or drop it",
        ),
    ],
)
def test_parquet_may_hold_what_rows_cannot(rows: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    """The second of two values of one name would replace the first in silence."""
    notes = json.dumps({"index_columns": [{"kind": "range", "name": "i", "start": 0, "stop": 1, "step": 1}]})
    pq.write_table(pa.table(rows).replace_schema_metadata({b"pandas": notes}), tmp_path / "d.parquet")
    with pytest.raises(InputError, match=rf"d\.parquet: {complaint}") as raised:
        read_rows(tmp_path / "d.parquet")
    assert "\n" not in str(raised.value)


def test_row_labels_of_several_files_are_not_those_of_the_first(tmp_path: Path) -> None:
    """pandas notes a range in each file; the folder's notes are those of one."""
    for name in ("a", "b"):
        pd.DataFrame({"x": [1, 2]}, pd.RangeIndex(2, name="i")).to_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match=r"found 2 row labels 'i' for 4 rows; write them as a column"):
        read_rows(tmp_path)


def test_column_names_that_are_one_number_stay_two_columns(tmp_path: Path) -> None:
    """Notes may say that `1` and `01` are whole numbers."""
    notes = json.dumps({"column_indexes": [{"pandas_type": "int64"}]})
    table = pa.table({"1": [1], "01": [2]}).replace_schema_metadata({b"pandas": notes})
    pq.write_table(table, tmp_path / "d.parquet")
    assert read_rows(tmp_path / "d.parquet").to_dict("list") == {"1": [1], "01": [2]}


def test_parquet_with_damaged_notes_of_pandas_is_an_error(tmp_path: Path) -> None:
    """What pandas wrote beside the table lacks a key, or is no object: Python raises, we say one line."""
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1]}))
    notes = table.schema.metadata[b"pandas"].replace(b'"pandas_type"', b'"pandas_typo"')
    for damaged, complaint in ((notes, "'pandas_type'"), (b"[1]", "'list' object has no attribute 'get'")):
        pq.write_table(table.replace_schema_metadata({b"pandas": damaged}), tmp_path / "d.parquet")
        with pytest.raises(
            InputError, match=f"d.parquet: found no Parquet file: {complaint}; write it again"
        ):
            read_rows(tmp_path / "d.parquet")
