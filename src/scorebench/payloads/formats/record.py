"""What a body format is: one record that says how rows travel in it. Knows no format by name."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.json_text import parse_json

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.signature import Column, Signature

ZIPPED = ".gz"


@dataclass(frozen=True)
class Batch:
    """What is to be sent: all rows, how many go in one call, the model's signature, its parameters."""

    rows: pd.DataFrame
    rows_per_call: int = 1
    signature: Signature | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Rows as they were written down: a file, a body as bytes, or the parsed JSON of a model's input example.

    Errors begin with `place`. `signature` says what the rows are for, where that is known. `kind` is the
    suffix of a file that would hold the bytes. `keys_once`: a key that stands twice in an object is an error.
    """

    place: str
    path: Path | None = None
    example: Any = None
    signature: Signature | None = None
    data: bytes | None = None
    kind: str = ".json"
    keys_once: bool = False

    @property
    def suffix(self) -> str:
        """`.csv`, `.json`, … in lower case, without the `.gz` of a zipped file. An example is JSON."""
        if self.path is None:
            return self.kind
        return suffix_of(self.path)

    @cached_property
    def json(self) -> Any:
        """The parsed JSON; InputError where a file holds none."""
        if self._is_example:
            return self.example
        return parse_json(self.bytes, self.place, keys_once=self.keys_once)

    @property
    def _is_example(self) -> bool:
        return self.path is None and self.data is None

    @property
    def plain_path(self) -> Path | None:
        """The file, where what it holds is the content itself."""
        is_zipped = self.path is not None and self.path.suffix.lower() == ZIPPED
        return None if is_zipped else self.path

    def open(self) -> BinaryIO:
        """All of it, to be read from the start."""
        return io.BytesIO(self.bytes) if self.plain_path is None else self.plain_path.open("rb")

    @cached_property
    def bytes(self) -> bytes:
        """All of it, as it is sent. InputError where the file is not what its suffix `.gz` says."""
        if self.path is None:
            assert self.data is not None
            return self.data
        try:
            with open_file(self.path) as file:
                return file.read()
        except NOT_ZIPPED as error:
            refuse_gzip(self.place, error)


NOT_ZIPPED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a file raises that is not what its suffix `.gz` says."""


MOST_UNPACKED_BYTES, MOST_TIMES = 64 * 2**20, 100
"""A file that holds more than both, of what it takes on the disk, was made to fill memory."""


def open_file(path: Path) -> BinaryIO:
    """Its bytes, unzipped where its suffix says so. InputError, as it is read, for a file that never ends."""
    if path.suffix.lower() != ZIPPED:
        return path.open("rb")
    return io.BufferedReader(_Unzipped(path))


def check_unpacked(unpacked_bytes: int, packed_bytes: int, place: str) -> None:
    """InputError for content that takes far more than its file."""
    if unpacked_bytes > max(MOST_UNPACKED_BYTES, MOST_TIMES * packed_bytes):
        raise InputError(
            f"{place}: found more than {MOST_UNPACKED_BYTES // 2**20} MiB in it, over {MOST_TIMES} times its "
            "size; if you trust it, give its rows unzipped, as CSV or JSON"
        )


class _Unzipped(io.RawIOBase):
    """What a gzip file holds, counted while it is read."""

    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path, "rb")  # noqa: SIM115 (closed with this one)
        self._path, self._packed_bytes, self._read_bytes = path, path.stat().st_size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._read_bytes += count
        check_unpacked(self._read_bytes, self._packed_bytes, str(self._path))
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def refuse_gzip(place: str, error: Exception) -> NoReturn:
    """InputError for one of NOT_ZIPPED."""
    raise InputError(f"{place}: found no whole gzip file ({error}); zip it again, or drop .gz") from None


def suffix_of(path: Path) -> str:
    """`.csv`, `.json`, … in lower case, without the `.gz` of a file that is zipped."""
    return (path.with_suffix("") if path.suffix.lower() == ZIPPED else path).suffix.lower()


Writer = Callable[["pd.DataFrame"], Iterator[bytes]]
"""Writes a block of rows, a whole number of calls, as the bodies of these calls."""


def has_key(key: str, source: Source) -> bool:
    """Whether the JSON is an object with this key."""
    return isinstance(source.json, Mapping) and key in source.json


def _no_problem(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class BodyFormat:
    """A body format that a user can name with `--format`.

    `writer` does once what all bodies share, and returns what writes them; both raise InputError for a value
    that the format can't hold. `read` returns the rows of a file that holds one body. `column_problem` and
    `values_problem` say why a column can't travel: the first by its type in the signature, the second by its
    values. None means it can.
    """

    name: str
    about: str
    """Who reads it, for the docs."""
    content_type: str
    suffix: str
    writer: Callable[[Batch], Writer]
    read: Callable[[Source], pd.DataFrame]
    sample: str
    """The body of two rows, for the docs; of a binary format, what it is."""
    key: str | None = None
    """The key of the JSON object that holds the rows."""
    is_it: Callable[[Source], bool] | None = None
    """Whether a source with this suffix is in this format. None: it is, if it has the key."""
    keeps_missing: frozenset[str] | None = None
    """The scalar types whose missing values every MLflow keeps. The installed one is asked about the others.

    None: every type's missing values are kept.
    """
    column_problem: Callable[[Column, Batch], str | None] = _no_problem
    values_problem: Callable[[pd.Series[Any], Batch], str | None] = _no_problem
    params_key: str | None = None
    """The key of the JSON object that holds inference parameters; None: it has no place for them."""
    takes_type_hints: bool = False
    """Whether a model whose signature comes from a Python type hint can be asked in it."""
    rows_at: tuple[str, ...] = ()
    """The keys on the way to the list in a JSON body that has an item a row; empty where there is none."""
    answers: str = "rows"
    """Which kind of answer is expected, as `--expect` names it."""
    path: str | None = None
    """An example of a path that takes it, where /invocations never does: a URL has to name one."""

    @property
    def takes_params(self) -> bool:
        """Whether it has a place for inference parameters."""
        return self.params_key is not None

    def holds(self, source: Source) -> bool:
        """Whether a source with this suffix is in this format."""
        if self.is_it is not None:
            return self.is_it(source)
        return self.key is None or has_key(self.key, source)

    def count(self, source: Source) -> int:
        """The rows of a body in this format, which is checked on the way."""
        return len(self.read(source))

    def quick_count(self, source: Source) -> int:
        """The same, without a look at each row where there is a list of them."""
        found = source.json if self.rows_at else None
        for key in self.rows_at:
            found = found.get(key) if isinstance(found, Mapping) else None
        return len(found) if isinstance(found, list) else self.count(source)
