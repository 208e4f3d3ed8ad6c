"""The notes at the end of a Parquet file, read without its pages. Knows how Arrow reports a damaged file.

Where the notes of a column are damaged, as the sums beside its sizes, `RowGroupMetaData.column` of PyArrow
25 ends the process: the C++ exception leaves it through Cython. Arrow's own reader looks at the same notes
first, and raises an OSError.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, BinaryIO

_BUFFER_BYTES = 4096


class _PagesWanted(Exception):
    """Arrow has read the notes of a group's columns, and wants their pages."""


class _WithoutPages:
    """A file that is read until its notes are known."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.has_pages = file, True
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not self.has_pages:
            raise _PagesWanted
        return self._file.read(size)

    def close(self) -> None:
        """It is the caller's."""


def read(file: BinaryIO) -> Any:
    """The notes of a file, whose columns may be asked for. Raises what Arrow does where they are damaged."""
    import pyarrow.parquet as pq

    pages = _WithoutPages(file)
    # Through a buffer, so that Arrow opens every column of a group before it wants the first page.
    opened = pq.ParquetFile(pages, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    notes = opened.metadata
    pages.has_pages = False
    for group in range(notes.num_row_groups):
        with suppress(_PagesWanted):
            next(opened.iter_batches(1, row_groups=[group]), None)
    return notes
