"""What the pages of a Parquet file become is known before one is unpacked, whatever the file's notes say."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorebench.errors import InputError
from scorebench.payloads import parquet_notes, parquet_pages, parquet_size
from scorebench.payloads.bodies import load_bodies
from scorebench.payloads.parquet_pages import NoPage
from scorebench.payloads.rows import read_rows
from tests.commands import ROOT
from tests.test_file_bombs import read

LARGE = 8 * 2**20
"""Numbers in one page: 64 MiB."""


class Chunk:
    """The notes of a column chunk."""

    def __init__(self, begin: int, size: int) -> None:
        self.data_page_offset, self.dictionary_page_offset = begin, None
        self.total_compressed_size = size


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def chunks(content: bytes) -> list[Any]:
    notes = pq.read_metadata(io.BytesIO(content))
    groups = map(notes.row_group, range(notes.num_row_groups))
    return [group.column(at) for group in groups for at in range(notes.num_columns)]


@pytest.mark.quick
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_each_page_is_found(compression: str, version: str) -> None:
    """700 numbers of 8 bytes, 100 a page, in groups of 350: four pages of 350 numbers, twice."""
    table = pa.table({"a": pa.array(range(700), pa.int64())})
    content = written(
        table,
        compression=compression,
        data_page_version=version,
        use_dictionary=False,
        max_rows_per_page=100,
        write_batch_size=100,
        row_group_size=350,
    )
    sizes = list(parquet_pages.sizes(io.BytesIO(content), chunks(content)))
    assert len(sizes) == 8
    assert 700 * 8 <= sum(sizes) <= 700 * 8 + 8 * 20  # and the levels, which say that none is null


@pytest.mark.quick
def test_a_dictionary_is_a_page_too() -> None:
    """A text of 50,000 bytes, a hundred times."""
    content = written(pa.table({"a": ["x" * 50_000] * 100}))
    dictionary, *others = parquet_pages.sizes(io.BytesIO(content), chunks(content))
    assert dictionary == 50_004
    assert sum(others) < 100


def lying(path: Path) -> Path:
    """A page of 64 MiB and one more number, of which the notes say that it has 100 in 1,000 bytes."""
    zeros = pa.table({"a": pa.nulls(LARGE + 1, pa.int64()).fill_null(0)})
    content = written(
        zeros,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        data_page_size=2**30,
        max_rows_per_page=2**30,
        row_group_size=2**30,
    )
    notes_begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    data, notes = content[:notes_begin], content[notes_begin:]
    for true, said in ((chunks(content)[0].total_uncompressed_size, 1_000), (LARGE + 1, 100)):
        assert zigzag(true) in notes
        notes = notes.replace(zigzag(true), zigzag(said, len(zigzag(true))))
    path.write_bytes(data + notes)
    return path


def zigzag(number: int, length: int = 1) -> bytes:
    """A number of Thrift, in so many bytes at least."""
    found: list[int] = []
    number *= 2
    while number > 127 or len(found) < length - 1:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def test_notes_that_lie_are_not_believed(tmp_path: Path) -> None:
    """Refused within 30 MiB of memory, where reading it took more than the 64 MiB of the page."""
    path = lying(tmp_path / "d.parquet")
    (said,) = read(path)
    mebibytes, why = said.split(" ", 1)
    assert why.startswith(f"{path}: found more than 64 MiB in it")
    assert int(mebibytes) < 30
    assert pq.read_metadata(path).num_rows == 100
    assert pq.read_table(path).num_rows == 100  # it is a file that a reader takes


HEADER = b"\x15\x00" + b"\x15" + zigzag(900) + b"\x15" + zigzag(5) + b"\x00"


@pytest.mark.quick
def test_a_header_is_read_field_by_field() -> None:
    """A type, 900 bytes that become of 5; twice, as the second begins behind the 5."""
    content = (HEADER + b"12345") * 2
    assert list(parquet_pages.sizes(io.BytesIO(content), [Chunk(0, len(content))])) == [900, 900]


@pytest.mark.quick
@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\x00",
        b"\x15\x00\x15\x02\x00",  # no size of what follows
        b"\x15\x00\x16\x02\x15\x02\x00",  # a size of 64 bits, which a reader takes for none
        HEADER[:-1] + b"\x05\x04\x02\x00",  # field 2 once more
        b"\x15\x00\x15\x01\x15\x02\x00",  # -1 bytes
        b"\x15\x00\x15" + zigzag(2**31) + b"\x15\x02\x00",
        b"\x05" + zigzag(2**16 + 2) + b"\x02\x00",  # in 16 bits it is field 2
        b"\x15" + b"\xff" * 11,
        b"\x1c" * 1_000,
        b"\x19\xfc" + b"\xff" * 5,
        b"\x18" + b"\xff" * 9 + b"\x01",
    ],
)
def test_what_is_no_header_is_refused(header: bytes) -> None:
    """What one reader takes and another does not, too: both must see the same page."""
    with pytest.raises(NoPage):
        list(parquet_pages.sizes(io.BytesIO(header), [Chunk(0, 1_000)]))


@pytest.mark.quick
def test_places_before_the_file_are_refused() -> None:
    for chunk in (Chunk(-4, 100), Chunk(4, -100)):
        with pytest.raises(NoPage):
            list(parquet_pages.sizes(io.BytesIO(HEADER), [chunk]))


@pytest.mark.quick
def test_columns_that_claim_the_same_pages_cost_no_more_than_a_file() -> None:
    """A thousand chunks of the same 10,000 empty pages: 64 MiB at 512 bytes a page are 131,072 pages."""
    content = (b"\x15\x00\x15\x00\x15\x00\x00") * 10_000
    left = iter([Chunk(0, len(content))] * 1_000)
    with pytest.raises(InputError, match="more than 64 MiB"):
        parquet_size.check_pages(io.BytesIO(content), left, len(content), "d.parquet")
    assert len(list(left)) == 1_000 - 14


@pytest.mark.quick
def test_what_is_no_page_is_one_line(tmp_path: Path) -> None:
    """The first page's header is another byte."""
    content = bytearray(written(pa.table({"a": [1, 2, 3]})))
    content[4] = 0xFF
    (tmp_path / "d.parquet").write_bytes(content)
    with pytest.raises(InputError, match="where a page of Parquet should begin; write the file again"):
        parquet_size.check(str(tmp_path / "d.parquet"), len(content), "d.parquet")


@pytest.mark.parametrize("read", [read_rows, load_bodies])
def test_damaged_notes_are_one_line_and_not_the_end_of_the_process(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    """Found by `make fuzz`: sums beside a column's sizes that do not fit it, at which PyArrow aborts."""
    path = tmp_path / "d.parquet"
    path.write_bytes((ROOT / "tests/fuzz/corpora/parquet/damaged-statistics").read_bytes())
    with pytest.raises(InputError, match="found no Parquet file: Definition level histogram size mismatch"):
        read(path)


@pytest.mark.parametrize("damaged", range(3))
def test_the_notes_of_every_column_are_looked_at(damaged: int) -> None:
    """Whichever column's offset is made negative: Arrow's reader refuses the file, group by group."""
    content = io.BytesIO()
    table = pa.table({"a": [1, 2], "b": ["x" * 100_000, None], "c": [1.5, 2.5]})  # far on, so found once
    pq.write_table(table, content, row_group_size=1, compression="none", use_dictionary=False)
    whole = content.getvalue()
    offset = pq.read_metadata(io.BytesIO(whole)).row_group(1).column(damaged).data_page_offset
    broken = whole.replace(_zigzag(offset), _zigzag(-offset))  # the group's own offset is the first column's
    assert broken != whole
    parquet_notes.read(io.BytesIO(whole))
    with pytest.raises(OSError, match="corrupt file"):
        parquet_notes.read(io.BytesIO(broken))


def _zigzag(number: int) -> bytes:
    """A whole number as Thrift's compact protocol writes it."""
    left, found = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])
