"""How much the pages of a Parquet file become, by their own headers. Knows Thrift's bytes; unpacks nothing.

A reader makes room for a page as its header says. The sums in the notes at the file's end may be lies.

The headers are structs of Thrift's compact protocol:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (PageHeader)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

UNPACKED, PACKED = 2, 3
"""The fields of a page's header: how large it becomes, and how many bytes follow the header."""
_STOP, _YES, _NO, _BYTE, _I32, _I64, _DOUBLE, _BINARY, _STRUCT = 0, 1, 2, 3, 5, 6, 7, 8, 12
_WHOLE = range(4, _I64 + 1)
_MOST_DEPTH = 8
_MOST_ID, _MOST_I32 = 2**15 - 1, 2**31 - 1


class NoPage(Exception):
    """Where a page should begin is something else; says what."""


def sizes(file: BinaryIO, chunks: Iterable[Any]) -> Iterator[int]:
    """What each page of these column chunks becomes. NoPage where there is none."""
    for chunk in chunks:
        begin = chunk.data_page_offset
        if chunk.dictionary_page_offset:
            begin = min(begin, chunk.dictionary_page_offset)
        end = begin + chunk.total_compressed_size
        if begin < 0 or end < begin:
            raise NoPage("a place before the file's first byte")
        while begin < end:
            file.seek(begin)
            header = _struct(file)
            unpacked, packed = (_size(header, field) for field in (UNPACKED, PACKED))
            yield unpacked
            begin = file.tell() + packed


def _size(header: dict[int, tuple[int, int]], field: int) -> int:
    kind, value = header.get(field, (_I32, -1))
    if kind != _I32 or not 0 <= value <= _MOST_I32:
        raise NoPage("a page without its size")
    return value


def _struct(file: BinaryIO, depth: int = 0) -> dict[int, tuple[int, int]]:
    """{field: (type, its number)}; the number of what is none is 0.

    Readers differ in which of two fields of the same name they take: there may be one.
    """
    if depth > _MOST_DEPTH:
        raise NoPage("structs without end")
    found: dict[int, tuple[int, int]] = {}
    field = 0
    while (head := _byte(file)) & 15 != _STOP:
        field = field + (head >> 4) if head >> 4 else _zigzag(file)
        if field in found or not 0 <= field <= _MOST_ID:
            raise NoPage("a field twice, or without a number")
        found[field] = (head & 15, _value(file, head & 15, depth))
    return found


def _value(file: BinaryIO, kind: int, depth: int) -> int:
    if kind in _WHOLE:
        return _zigzag(file)
    if kind == _STRUCT:
        _struct(file, depth + 1)
    elif kind == _BINARY:
        file.seek(min(_varint(file), _MOST_I32), 1)
    elif kind in (_BYTE, _DOUBLE):
        file.seek(1 if kind == _BYTE else 8, 1)
    elif kind not in (_YES, _NO):
        raise NoPage("lists, of which no page has any")
    return 0


def _byte(file: BinaryIO) -> int:
    read = file.read(1)
    if not read:
        raise NoPage("the end of the file")
    return read[0]


def _varint(file: BinaryIO) -> int:
    """Seven bits a byte, the lowest first; ten bytes at most."""
    value = 0
    for shift in range(0, 70, 7):
        byte = _byte(file)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise NoPage("a number without end")


def _zigzag(file: BinaryIO) -> int:
    value = _varint(file)
    return -(value >> 1) - 1 if value & 1 else value >> 1
