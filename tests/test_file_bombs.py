"""A data file of some kilobytes that holds gigabytes is refused before it fills memory, in one line."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorebench.errors import InputError
from scorebench.payloads.bodies import load_bodies
from scorebench.payloads.rows import read_rows

MIB = 2**20
ROW = "a,b\n" + "1,2\n" * 10_000


def zipped(path: Path, start: bytes, block: bytes, mebibytes: int) -> Path:
    with gzip.open(path, "wb", 6) as file:
        file.write(start)
        for _ in range(mebibytes):
            file.write(block * (MIB // len(block)))
    return path


def csv(folder: Path) -> Path:
    """400 kB that hold 400 MiB."""
    return zipped(folder / "d.csv.gz", b"a\n", b"1\n", 400)


def json(folder: Path) -> Path:
    return zipped(folder / "d.json.gz", b'{"inputs": [', b"1, ", 400)


def one_line(folder: Path) -> Path:
    """A line that never ends."""
    return zipped(folder / "d.jsonl.gz", b'{"inputs": [', b"1, ", 400)


def blank_lines(folder: Path) -> Path:
    return zipped(folder / "d.ndjson.gz", b"", b"\n", 70)


def rows(folder: Path) -> Path:
    """Fifty million rows, all of them null: some bytes a page."""
    pq.write_table(pa.table({"a": pa.nulls(50_000_000, pa.int8())}), folder / "d.parquet")
    return folder / "d.parquet"


def dictionary(folder: Path) -> Path:
    """One text of 100 kB, and 20,000 rows that point at it: 2 GB."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 100_000])
    pq.write_table(pa.table({"a": column}), folder / "d.parquet", compression="zstd", store_schema=False)
    return folder / "d.parquet"


def _repeated() -> pa.DictionaryArray:
    """Two hundred times a text of 30 MB: 6 GB, in a kilobyte."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), ["x" * 30_000_000])


def _written(folder: Path, column: pa.Array, **options: Any) -> Path:
    table = pa.table({"a": column})
    pq.write_table(table, folder / "d.parquet", compression="zstd", store_schema=False, **options)
    return folder / "d.parquet"


def long_text(folder: Path) -> Path:
    return _written(folder, _repeated())


def texts_in_lists(folder: Path) -> Path:
    return _written(folder, pa.ListArray.from_arrays(pa.array(range(201), pa.int32()), _repeated()))


def texts_in_records(folder: Path) -> Path:
    return _written(folder, pa.StructArray.from_arrays([_repeated()], ["a.b"]))


def nulls_in_a_list(folder: Path) -> Path:
    """One row, a list of fifty million nulls: 541 bytes."""
    ends = pa.array([0, 50_000_000], pa.int32())
    return _written(folder, pa.ListArray.from_arrays(ends, pa.nulls(50_000_000, pa.int8())))


def common_beginnings(folder: Path) -> Path:
    """Each text is the one before it, of 100 kB: 100 MB in some hundred bytes."""
    encoded = {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}}
    return _written(folder, pa.array(["x" * 100_000] * 1_000), **encoded)


def wide_cells(folder: Path) -> Path:
    """A thousand times the same 100,000 bytes, of a type that has that width."""
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int32()), pa.array([b"x" * 100_000]))
    return _written(folder, same.cast(pa.binary()).cast(pa.binary(100_000)))


def folder_of_parquet(folder: Path) -> Path:
    return rows(folder).parent


NESTED = [long_text, texts_in_lists, texts_in_records, nulls_in_a_list, common_beginnings, wide_cells]
BOMBS = [csv, json, one_line, blank_lines, rows, dictionary, folder_of_parquet]
READ = """
import resource, sys
from scorebench.errors import InputError
from scorebench.payloads.rows import read_rows
import pandas, pyarrow.parquet, pyarrow.csv, pyarrow.dataset
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read_rows(path)
    except InputError as error:
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


def read(*paths: Path) -> list[str]:
    """A line for each that is refused: mebibytes of memory until then, and why."""
    command = [sys.executable, "-c", READ, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_holds_far_more_than_its_size_is_refused(
    bomb: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Within 400 MiB of memory: 64 MiB of content, as it lies there twice or thrice while it is read."""
    path = bomb(tmp_path)
    mebibytes, said = read(path)[0].split(" ", 1)
    assert "found more than 64 MiB in it, over 100 times its size" in said
    assert said.startswith(str(path))
    assert int(mebibytes) < 400


def test_so_is_a_parquet_file_that_repeats_what_it_holds(tmp_path: Path) -> None:
    """As a text, within lists and records, as nulls, by its beginnings, in wide cells; and in a folder."""
    paths = []
    for bomb in NESTED:
        (tmp_path / bomb.__name__).mkdir()
        paths.append(bomb(tmp_path / bomb.__name__))
    said = read(*paths, paths[1].parent)
    assert len(said) == len(NESTED) + 1
    assert all("found more than 64 MiB in it" in one for one in said), said
    assert max(int(one.split()[0]) for one in said) < 400


@pytest.mark.parametrize("bomb", [csv, json, one_line, blank_lines, rows])
def test_so_it_is_as_a_body(bomb: Callable[[Path], Path], tmp_path: Path) -> None:
    """Bodies are read by the same rule, where they are read whole and where line by line."""
    path = bomb(tmp_path)
    with pytest.raises(InputError, match="found more than 64 MiB in it"):
        load_bodies(path)


def test_a_file_that_is_well_packed_is_read(tmp_path: Path) -> None:
    """Rows that repeat, 40 kB of them in some hundred bytes; and a table of one value in all its rows."""
    with gzip.open(tmp_path / "d.csv.gz", "wt") as file:
        file.write(ROW)
    assert len(read_rows(tmp_path / "d.csv.gz")) == 10_000
    column = pa.array(["a text"] * 100_000).dictionary_encode()
    pq.write_table(pa.table({"a": column.cast(pa.string()), "b": [1.5] * 100_000}), tmp_path / "d.parquet")
    frame = read_rows(tmp_path / "d.parquet")
    assert len(frame) == 100_000
    assert set(frame["a"]) == {"a text"}


def test_a_table_of_recorded_requests_is_no_way_around(tmp_path: Path) -> None:
    """The columns of Databricks' inference tables, and one request of 30 MB two hundred times."""
    times = pa.array([1_700_000_000_000] * 200, pa.int64())
    table = pa.table({"request": _repeated(), "timestamp_ms": times})
    pq.write_table(table, tmp_path / "d.parquet", compression="zstd", store_schema=False)
    with pytest.raises(InputError, match="found more than 64 MiB in it"):
        load_bodies(tmp_path / "d.parquet")


@pytest.mark.parametrize("content", ['[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "[" * 100_000])
def test_lists_within_lists_without_end_are_one_line(content: str, tmp_path: Path) -> None:
    """A hundred thousand deep, as rows and as a body."""
    (tmp_path / "d.json").write_text(content)
    for read in (read_rows, load_bodies):
        with pytest.raises(InputError, match="found JSON nested too deep to be rows"):
            read(tmp_path / "d.json")
