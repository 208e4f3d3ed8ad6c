"""A data file that is missing, empty, broken or of no known form is one line that names it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorebench.errors import InputError
from scorebench.payloads.rows import read_rows, rows_for


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


def test_parquet_with_damaged_notes_of_pandas_is_an_error(tmp_path: Path) -> None:
    """What pandas wrote beside the table lacks a key: Python raises KeyError, we one line."""
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1]}))
    notes = table.schema.metadata[b"pandas"].replace(b'"pandas_type"', b'"pandas_typo"')
    pq.write_table(table.replace_schema_metadata({b"pandas": notes}), tmp_path / "d.parquet")
    with pytest.raises(InputError, match=r"d.parquet: found no Parquet file: 'pandas_type'; write it again"):
        read_rows(tmp_path / "d.parquet")
