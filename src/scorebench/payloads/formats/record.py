"""What a body format is: one record that says how rows travel in it. Knows no format by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.payloads.json_text import parse_json

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.payloads.signature import Column, Signature


@dataclass(frozen=True)
class Batch:
    """What is to be sent: all rows, how many go in one call, the model's signature, its parameters."""

    rows: pd.DataFrame
    rows_per_call: int = 1
    signature: Signature | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Rows as they were written down: a file, or the parsed JSON of a model's input example.

    Errors begin with `place`. `signature` says what the rows are for, where that is known.
    """

    place: str
    path: Path | None = None
    example: Any = None
    signature: Signature | None = None

    @property
    def suffix(self) -> str:
        """`.csv`, `.json`, … in lower case. An example is JSON."""
        return ".json" if self.path is None else self.path.suffix.lower()

    @cached_property
    def json(self) -> Any:
        """The parsed JSON; InputError where a file holds none."""
        return self.example if self.path is None else parse_json(self.path.read_bytes(), self.place)


Writer = Callable[["pd.DataFrame"], Iterator[bytes]]
"""Writes a block of rows, a whole number of calls, as the bodies of these calls."""


def _by_suffix(_source: Source) -> bool:
    return True


def _no_problem(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class BodyFormat:
    """A body format that a user can name with `--format`.

    `writer` does once what all bodies share, and returns what writes them; both raise InputError for a value
    that the format can't hold. `read` returns the rows of a file that holds one body. `holds` says whether a
    source with this suffix is in this format. `column_problem` and `values_problem` say why a column can't
    travel: the first by its type in the signature, the second by its values. None means it can.
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
    holds: Callable[[Source], bool] = _by_suffix
    keeps_missing: frozenset[str] | None = None
    """The scalar types whose missing values every MLflow keeps. The installed one is asked about the others.

    None: every type's missing values are kept.
    """
    column_problem: Callable[[Column, Batch], str | None] = _no_problem
    values_problem: Callable[[pd.Series[Any], Batch], str | None] = _no_problem
    takes_params: bool = False
    takes_type_hints: bool = False
    """Whether a model whose signature comes from a Python type hint can be asked in it."""
