"""Where the rows of a run came from, for the reader of its figures. Knows names alone; reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MOST_COLUMNS = 100
"""As many names are kept; the rest is a number."""


class Kind(StrEnum):
    """Whose rows were sent."""

    FILE = "file"
    EXAMPLE = "example"
    SIGNATURE = "signature"
    DEMO = "demo"
    BODY = "body"


@dataclass(frozen=True)
class Origin:
    """`name` is the file or the model; `signature_of` the model whose signature cast the columns."""

    kind: Kind
    name: str | None
    signature_of: str | None = None
    columns: tuple[str, ...] = ()
    """The first names of the columns that were sent; none where they have no names."""
    column_count: int = 0

    def facts(self) -> dict[str, Any]:
        """What a recording keeps."""
        return asdict(self) | {"kind": str(self.kind), "columns": list(self.columns)}


def origin(
    kind: Kind, name: object, *, signature_of: str | None = None, columns: Sequence[Any] = ()
) -> Origin:
    """The origin of rows with these columns, whose names may be any number."""
    names = () if list(columns) == list(range(len(columns))) else tuple(map(str, columns))
    shown = None if name is None else str(name)
    return Origin(kind, shown, signature_of, names[:MOST_COLUMNS], len(columns))
