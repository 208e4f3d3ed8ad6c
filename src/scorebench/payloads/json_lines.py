"""JSON Lines → the value of each line, and its number. Knows files and JSON; nothing of rows or bodies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scorebench.payloads.formats.record import NOT_ZIPPED, open_file, refuse_gzip
from scorebench.payloads.json_text import parse_json

_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line that is not blank. `place` names file and line, and begins errors about it."""

    place: str
    text: bytes
    value: Any


def read(path: Path, *, keys_once: bool = False) -> Iterator[Line]:
    """The lines one by one, so that a large file is never whole in memory; blank ones are left out.

    Raises InputError, with the number of the line, for one that is not JSON, or
    with `keys_once` has a key twice in one object.
    """
    try:
        with open_file(path) as file:
            for number, line in enumerate(file, start=1):
                text = (line.removeprefix(_BOM) if number == 1 else line).strip()
                if text:
                    place = f"{path} line {number:,}"
                    yield Line(place, text, parse_json(text, place, is_line=True, keys_once=keys_once))
    except NOT_ZIPPED as error:
        refuse_gzip(str(path), error)
