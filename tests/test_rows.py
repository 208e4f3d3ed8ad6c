"""Rows come from a file in any form, a model's example or its signature; or an error says why not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.payloads import rows as rows_module
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.formats.record import Source
from scorebench.payloads.payload import encode
from scorebench.payloads.rows import MADE_ROWS, read_rows, rows_in
from scorebench.payloads.signature import Array, Column, ModelInfo, Scalar, Signature, Tensor
from tests.mlflow_reader import frame_values
from tests.requirements import shared

WINE = Signature((Column("pH", Scalar("double")), Column("alcohol", Scalar("double"))))


def _file(directory: Path, name: str, content: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_for(data: Path | None, model: ModelInfo | None, *, seed: int = 1, **options: Any) -> pd.DataFrame:
    """The rows to send, made with a seed where they have to be made."""
    return rows_module.rows_for(data, model, seed=seed, **options)


def frame_from_json(parsed: Any, place: str, signature: Signature | None = None) -> pd.DataFrame:
    """The rows of a model's input example."""
    return rows_in(Source(place, example=parsed, signature=signature))


def _model(signature: Signature | None = WINE, example: Any = None) -> ModelInfo:
    return ModelInfo("m", signature, example)


# ---- files -------------------------------------------------------------------------------------------------

AB = [[1, "x"], [2, "y"]]


@pytest.mark.parametrize(
    "content",
    [
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        {"dataframe_records": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]},
        {"dataframe_split": {"columns": ["a", "b"], "data": AB}},
        {"dataframe_split": {"columns": ["a", "b"], "index": [7, 8], "data": AB}},
        {"columns": ["a", "b"], "data": AB},
        {"instances": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]},
        {"inputs": {"a": [1, 2], "b": ["x", "y"]}},
        {"inputs": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], "params": {}},
    ],
)
def test_json_is_read_in_every_form(content: Any, tmp_path: Path) -> None:
    """A list of records, each of MLflow's four forms, and the bare split object are the same two rows."""
    frame = read_rows(_file(tmp_path, "d.json", json.dumps(content)))
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))


@pytest.mark.parametrize("content", [{"instances": [[1, 2], [3, 4]]}, {"inputs": [[1, 2], [3, 4]]}])
def test_lists_are_unnamed_columns(content: Any) -> None:
    """They go by place, and are named 0 and 1."""
    assert frame_from_json(content, "d").to_dict("list") == {0: [1, 3], 1: [2, 4]}


def test_deeper_lists_are_one_column() -> None:
    """A tensor's rows stay whole; so do values alone, and lists of unequal length."""
    assert frame_from_json({"inputs": [[[1], [2]], [[3], [4]]]}, "d")[0].tolist() == [[[1], [2]], [[3], [4]]]
    assert frame_from_json({"inputs": [1, 2]}, "d")[0].tolist() == [1, 2]
    assert frame_from_json({"inputs": "text"}, "d")[0].tolist() == ["text"]
    assert frame_from_json({"inputs": [[1], [2, 3]]}, "d")[0].tolist() == [[1], [2, 3]]


def test_split_without_columns_is_unnamed() -> None:
    """As MLflow writes the example of a frame whose columns are 0, 1, …."""
    assert frame_from_json({"data": [[1, 2]]}, "d").columns.equals(pd.RangeIndex(2))
    assert frame_from_json({"columns": [0, 1], "data": [[1, 2]]}, "d").columns.equals(pd.RangeIndex(2))
    assert frame_from_json({"columns": [5, 6], "data": [[1, 2]]}, "d").columns.equals(pd.Index(["5", "6"]))


def test_an_object_of_arrays_may_be_one_row() -> None:
    """Where the model takes arrays, `inputs` of lists is one row of them; otherwise a list is a column."""
    content = {"inputs": {"a": [1, 2, 3]}}
    assert len(frame_from_json(content, "d")) == 3
    assert len(frame_from_json(content, "d", Signature((Column("a", Array(Scalar("long"))),)))) == 1
    assert len(frame_from_json(content, "d", Signature((Column("a", Tensor("float32", (-1,))),)))) == 3
    assert frame_from_json({"inputs": {"a": 1, "b": [2]}}, "d").iloc[0].tolist() == [1, [2]]


def test_whole_numbers_beside_null_stay_whole(tmp_path: Path) -> None:
    """2**53 + 1 is no float: a null in its column must not make it one."""
    path = _file(tmp_path, "d.json", '[{"a": 9007199254740993, "b": true}, {"a": null, "b": null}]')
    assert encode(read_rows(path), "records").bodies == (
        b'{"dataframe_records":[{"a":9007199254740993,"b":true}]}',
        b'{"dataframe_records":[{"a":null,"b":null}]}',
    )


def test_a_key_that_some_records_lack_is_null() -> None:
    """Records need not all have the same keys."""
    frame = frame_from_json([{"a": 1}, {"b": 2}], "d")
    assert frame_values(frame) == [[1, None], [None, 2]]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.one_of(
                st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.floats(-1e9, 1e9)
            ),
            min_size=1,
        ),
        min_size=1,
    )
)
def test_records_are_kept_as_they_are(records: list[dict[str, Any]]) -> None:
    """Whatever the cells are, what goes out as records says what came in; a missing key is a null."""
    names = list(dict.fromkeys(name for record in records for name in record))
    bodies = encode(frame_from_json(records, "d"), "records", rows_per_call=len(records)).bodies
    out = json.loads(bodies[0])["dataframe_records"]
    assert out == [{name: record.get(name) for name in names} for record in records]


def test_csv_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """Quotes, line breaks in them, a byte order mark, missing cells; numbers to the last bit."""
    path = _file(tmp_path, "d.csv", '\ufeffa,"b c",d\n0.1,"x, ""y""\nz",\n-1e-300,é,3\n')
    frame = read_rows(path)
    assert list(frame.columns) == ["a", "b c", "d"]
    assert frame_values(frame) == [[0.1, 'x, "y"\nz', None], [-1e-300, "é", 3.0]]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_known_by_the_first_line(separator: str, tmp_path: Path) -> None:
    """The wine data came with semicolons; spreadsheets write tabs."""
    path = _file(tmp_path, "d.csv", f'"fixed acidity"{separator}"pH"\n7.4{separator}3.5\n')
    assert read_rows(path).to_dict("list") == {"fixed acidity": [7.4], "pH": [3.5]}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (
            '"weight, kg";"size, cm, outside";n\n1;2;3\n',
            {"weight, kg": [1], "size, cm, outside": [2], "n": [3]},
        ),
        ("name;place\n7,4;a, b\nx;y\n", {"name": ["7,4", "x"], "place": ["a, b", "y"]}),
        ('tags\n"1;2"\n', {"tags": ["1;2"]}),
        ("tags\na;b\n", {"tags": ["a;b"]}),
        ('a,b\n"7,4",1\n', {"a": ["7,4"], "b": [1]}),
    ],
)
def test_separators_in_text_are_text(content: str, columns: dict[str, list[object]], tmp_path: Path) -> None:
    """In a quoted name, in text beside other text, in quotes."""
    assert read_rows(_file(tmp_path, "d.csv", content)).to_dict("list") == columns


def test_a_text_column_may_hold_decimal_commas(tmp_path: Path) -> None:
    """Where the signature says that it is text; without one it is refused."""
    signature = Signature((Column("size", Scalar("string")), Column("n", Scalar("long"))))
    path = _file(tmp_path, "d.csv", "size;n\n7,4;5\n")
    assert frame_values(rows_for(path, _model(signature))) == [["7,4", 5]]


def test_text_that_looks_like_a_number_stays_text(tmp_path: Path) -> None:
    """Where the signature says so: a postal code keeps its zero."""
    signature = Signature((Column("zip", Scalar("string")), Column("n", Scalar("long"))))
    path = _file(tmp_path, "d.csv", "zip,n\n01234,5\n")
    assert frame_values(rows_for(path, _model(signature))) == [["01234", 5]]
    assert frame_values(read_rows(path)) == [[1234, 5]]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """And the frame's old index does not come back."""
    frame = pd.DataFrame(
        {"a": pd.Series([1, 2], dtype="int32"), "t": pd.to_datetime(["2020-01-01"] * 2)}, index=[7, 9]
    )
    frame.to_parquet(tmp_path / "d.parquet")
    back = read_rows(tmp_path / "d.parquet")
    assert back.index.tolist() == [0, 1]
    assert back.dtypes.tolist() == frame.dtypes.tolist()


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_encoded_can_be_read_again(format: str, tmp_path: Path) -> None:
    """A body of any format is a data file, with the same rows."""
    frame = pd.DataFrame({"a": [1.5, 2.0], "b": ["x", 'say "hi"\n']})
    path = _file(tmp_path, f"d{FORMATS[format].suffix}", encode(frame, format, rows_per_call=2).bodies[0])
    assert frame_values(read_rows(path)) == frame_values(frame)


def test_the_first_rows_and_no_more() -> None:
    """`limit` keeps the first, with the types that all have; more than there are keeps all."""
    wine = shared("data/wine-quality-white.csv")
    assert len(read_rows(wine)) == 4898
    pd.testing.assert_frame_equal(read_rows(wine, limit=7), read_rows(wine).head(7))
    assert len(read_rows(wine, limit=10_000)) == 4898


# ---- columns -----------------------------------------------------------------------------------------------


def test_columns_are_dropped_by_name(tmp_path: Path) -> None:
    """A name that is not there is an error that lists those that are; one column has to stay."""
    path = _file(tmp_path, "d.csv", "a,b,c\n1,2,3\n")
    assert list(rows_for(path, None, drop=["b", "a"]).columns) == ["c"]
    with pytest.raises(InputError, match="found no column 'q' to drop, only 'a', 'b', 'c'"):
        rows_for(path, None, drop=["q"])
    with pytest.raises(InputError, match="no column is left once 'a', 'b', 'c' is dropped"):
        rows_for(path, None, drop=["a", "b"], label="c")


def test_the_label_is_left_out_where_it_is_there(tmp_path: Path) -> None:
    """With it or without it, the same is sent; a model that takes the column gets it."""
    with_label = _file(tmp_path, "l.csv", "pH,quality\n3.1,6\n")
    without = _file(tmp_path, "d.csv", "pH\n3.1\n")
    for path in (with_label, without):
        assert rows_for(path, None, label="quality").to_dict("list") == {"pH": [3.1]}
    taken = Signature((Column("pH", Scalar("double")), Column("quality", Scalar("long"))))
    assert list(rows_for(with_label, _model(taken), label="quality").columns) == ["pH", "quality"]
    assert list(rows_for(with_label, None).columns) == ["pH", "quality"]


def test_a_tensor_gets_the_columns_without_the_label(tmp_path: Path) -> None:
    """Where columns go by place, the label must not take one."""
    path = _file(tmp_path, "d.csv", "quality,p,q\n6,1,2\n")
    signature = Signature((Column(None, Tensor("float32", (-1, 2))),))
    assert rows_for(path, _model(signature), label="quality")[0][0].tolist() == [1, 2]


# ---- where rows come from ----------------------------------------------------------------------------------

EXAMPLE = {"dataframe_split": {"columns": ["alcohol", "pH"], "data": [[9, 3.5], [10, 3.6]]}}


def test_data_come_before_the_example_and_that_before_the_signature(tmp_path: Path) -> None:
    """A file that is named is what is sent; then the example; then rows are made."""
    path = _file(tmp_path, "d.csv", "alcohol,pH,id\n12,3.1,x\n")
    assert frame_values(rows_for(path, _model(example=EXAMPLE))) == [[3.1, 12.0]]
    assert frame_values(rows_for(None, _model(example=EXAMPLE))) == [[3.5, 9.0], [3.6, 10.0]]
    assert len(rows_for(None, _model())) == MADE_ROWS
    assert frame_values(rows_for(None, _model(None, EXAMPLE))) == [[9, 3.5], [10, 3.6]]


def test_rows_are_made_with_the_seed_and_number_asked_for() -> None:
    """The same seed makes the same rows."""
    made = rows_for(None, _model(), limit=20, seed=5)
    assert made.shape == (20, 2)
    pd.testing.assert_frame_equal(made, rows_for(None, _model(), limit=20, seed=5))
    assert not made.equals(rows_for(None, _model(), limit=20, seed=6))


def test_nothing_to_send_is_an_error() -> None:
    """No data and no model; a model with neither example nor signature."""
    with pytest.raises(InputError, match="give --data FILE or --model URI"):
        rows_for(None, None)
    with pytest.raises(
        InputError, match=r"m: the model has no input example and no signature .*give --data FILE"
    ):
        rows_for(None, _model(None))


def test_json_lines_are_rows(tmp_path: Path) -> None:
    """A record or a list a line; zipped too; a broken line is named."""
    path = _file(tmp_path, "d.jsonl", '{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n')
    pd.testing.assert_frame_equal(read_rows(path), pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    assert read_rows(_file(tmp_path, "l.ndjson", "[1, 2]\n[3, 4]")).to_numpy().tolist() == [[1, 2], [3, 4]]
    zipped = _file(tmp_path, "d.jsonl.gz", gzip.compress(path.read_bytes()))
    pd.testing.assert_frame_equal(read_rows(zipped), read_rows(path))
    with pytest.raises(InputError, match=r"bad\.jsonl line 2: found no JSON \(column 2"):
        read_rows(_file(tmp_path, "bad.jsonl", '{"a": 1}\n{a: 2}'))


@pytest.mark.parametrize("name", ["d.csv", "d.json", "d.parquet"])
def test_a_zipped_file_is_the_file(name: str, tmp_path: Path) -> None:
    """Whatever it holds; what is no gzip is one line."""
    (body,) = encode(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), _FORMAT_OF[name], rows_per_call=2).bodies
    plain = _file(tmp_path, name, body)
    zipped = _file(tmp_path, f"{name}.gz", gzip.compress(body))
    pd.testing.assert_frame_equal(read_rows(zipped), read_rows(plain))
    for broken in (b"no gzip", gzip.compress(body)[:-9]):
        with pytest.raises(InputError, match=r"\.gz: found no whole gzip file"):
            read_rows(_file(tmp_path, f"{name}.gz", broken))


_FORMAT_OF = {"d.csv": "csv", "d.json": "records", "d.parquet": "parquet"}


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    """As Spark writes it: parts, a marker, and folders that are a column; whole numbers keep their digits."""
    for part, values in enumerate(([2**53 + 1, None], [3, 4])):
        (tmp_path / f"day={part}").mkdir()
        rows = pd.DataFrame({"a": pd.Series(values, dtype="Int64")})
        rows.to_parquet(tmp_path / f"day={part}" / "part-0.parquet")
    _file(tmp_path, "_SUCCESS", "")
    found = read_rows(tmp_path)
    assert frame_values(found) == [[2**53 + 1, 0], [None, 0], [3, 1], [4, 1]]
    assert list(found.columns) == ["a", "day"]


def test_an_example_that_is_no_table_is_an_error() -> None:
    """A chat model's example is no row of a table; the error says where it was found."""
    with pytest.raises(InputError, match="m: input example: found a chat body"):
        rows_for(None, _model(example={"messages": []}))


def test_data_that_lack_a_column_are_an_error(tmp_path: Path) -> None:
    """Before the first call, with the file's name."""
    path = _file(tmp_path, "d.csv", "pH\n3\n")
    with pytest.raises(InputError, match=r"d\.csv: found no column 'alcohol', only 'pH'"):
        rows_for(path, _model())
    bad = _file(tmp_path, "bad.csv", "pH,alcohol\n3,9\n3,strong\n")
    with pytest.raises(
        InputError, match=r"bad\.csv: column 'alcohol', row 2: found 'strong', the model takes double"
    ):
        rows_for(bad, _model())


def test_half_a_character_is_kept(tmp_path: Path) -> None:
    """JSON can hold a lone surrogate, which Arrow's text can't: it reaches the body as it was written."""
    path = tmp_path / "d.json"
    path.write_text('[{"a": "\\ud800"}]')
    for model in (None, ModelInfo("m", Signature((Column("a", Scalar("string")),)))):
        assert b'"\\ud800"' in encode(rows_for(path, model)).bodies[0]
