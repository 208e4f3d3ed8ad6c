"""The table of body formats: every format that `--format` takes. Knows their records; does nothing itself.

To add a format, write its record in a module of this package and name it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from scorebench.errors import InputError
from scorebench.payloads.formats.csv_form import CSV
from scorebench.payloads.formats.json_arrays import INPUTS, INSTANCES
from scorebench.payloads.formats.json_frames import AZURE, RECORDS, SPLIT, SPLIT_1X
from scorebench.payloads.formats.json_tensors import V2
from scorebench.payloads.formats.parquet_form import PARQUET
from scorebench.payloads.formats.record import BodyFormat, Source
from scorebench.payloads.formats.whole import WHOLE, WholeForm

FORMATS: dict[str, BodyFormat] = {
    format.name: format for format in (SPLIT, RECORDS, INSTANCES, INPUTS, CSV, PARQUET, SPLIT_1X, V2, AZURE)
}
"""By name, in the order in which help and docs list them."""
DEFAULT_FORMAT = SPLIT.name
LINES_SUFFIXES = (".jsonl", ".ndjson")
"""Of files that are no body, but have a row or a body a line."""


def find(name: str) -> BodyFormat:
    """The format of this name, or InputError that lists all names."""
    if name not in FORMATS:
        raise InputError(f"--format {name}: not known; expected one of {', '.join(FORMATS)}")
    return FORMATS[name]


def suffixes() -> tuple[str, ...]:
    """The suffixes of the files that rows are read from."""
    return tuple(dict.fromkeys(format.suffix for format in FORMATS.values()))


def has_lines(suffix: str) -> bool:
    """Whether a file with this suffix holds a row or a body a line: unless a format has the suffix itself."""
    return suffix in LINES_SUFFIXES and suffix not in suffixes()


def suffix_of_type(content_type: str) -> str:
    """The suffix of a file that holds a body of this content type; empty for one that no format has."""
    wanted = _media_type(content_type)
    found = (format.suffix for format in FORMATS.values() if _media_type(format.content_type) == wanted)
    return next(found, "")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def recognise(source: Source) -> BodyFormat:
    """The format that rows are in: by their file's suffix, and for JSON by its keys. Else InputError."""
    form = recognise_body(source)
    if isinstance(form, BodyFormat):
        return form
    if form is None:
        _refuse(source)
    raise InputError(
        f"{source.place}: found a {form.name} body (key {form.key!r}), expected rows; send it with --body"
    )


def recognise_body(source: Source) -> BodyFormat | WholeForm | None:
    """The form of a body, made of rows or not; None where it has none that is known."""
    if source.suffix == ".json":
        for whole in WHOLE.values():
            if whole.holds(source):
                return whole
    found = [form for form in FORMATS.values() if form.suffix == source.suffix and form.holds(source)]
    return found[0] if len(found) == 1 else None


def refuse_unknown(source: Source) -> NoReturn:
    """InputError for a body of no known form."""
    _refuse(source, "; or say with --expect what a valid answer is, and it is sent as it is")


def _refuse(source: Source, otherwise: str = "") -> NoReturn:
    keys = [form.key for form in FORMATS.values() if form.key is not None]
    parsed = source.json
    if isinstance(parsed, Mapping):
        found = f"keys {' and '.join(repr(key) for key in list(parsed)[:6])}" if parsed else "no keys"
    else:
        found = "a list" if isinstance(parsed, list) else f"a {type(parsed).__name__}"
    several = isinstance(parsed, Mapping) and any(key in parsed for key in keys)
    cure = "Keep one" if several else "Put the rows under one of them"
    known = ", ".join(dict.fromkeys(keys))
    raise InputError(f"{source.place}: found {found}; expected exactly one of {known}. {cure}{otherwise}.")
