"""Ready bodies → Payload: a file, a folder, JSON Lines with a body a line, or recorded traffic.

Knows where bodies stand, and that each is judged by its own form; nothing of how rows are written.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.payloads import captures, formats, json_lines, parquet_files
from scorebench.payloads.captures import Ready
from scorebench.payloads.formats import LINES_SUFFIXES
from scorebench.payloads.formats.record import BodyFormat, Source, suffix_of
from scorebench.payloads.formats.whole import OTHER, WholeForm
from scorebench.payloads.json_text import dumps
from scorebench.payloads.payload import Payload, mib

Form = BodyFormat | WholeForm


@dataclass
class _Gathered:
    """What was read so far, a column for each part; `left_out` counts requests that were not recorded."""

    bodies: list[bytes] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    content_types: list[str] = field(default_factory=list)
    times_s: list[float | None] = field(default_factory=list)
    first_of: dict[str, str] = field(default_factory=dict)
    """By name of a form: where its first body stands."""
    answers: dict[str, tuple[str, Form]] = field(default_factory=dict)
    """By kind of answer: where its first body stands, and its form."""
    left_out: int = 0


def load_bodies(
    path: str | Path,
    *,
    expect: str | None = None,
    params: Mapping[str, Any] | None = None,
    memory_bytes: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Payload:
    """The bodies of a file or folder, sent as they are; of recorded traffic in the order of their times.

    Suffix, content type or JSON keys tell the form of each; its rows are counted. `expect` says what a valid
    answer is, and allows bodies of any form; else all have to be of forms that are answered alike. `params`
    are put into each body, where its form has a place for them. Raises InputError where something can't be
    sent, and where the bodies take more than `memory_bytes`.
    """
    path, gathered, size = Path(path), _Gathered(), 0
    for ready in _read(path):
        if ready is None:
            gathered.left_out += 1
            continue
        body = _take(ready, gathered, expect, params or {})
        size += len(body)
        if memory_bytes is not None and size > memory_bytes:
            raise InputError(
                f"payload: the first {len(gathered.bodies):,} bodies of {path} take {mib(size)} MiB, "
                f"{mib(memory_bytes)} MiB are allowed; send fewer, or raise --payload-memory"
            )
        progress(1)
    if not gathered.bodies:
        raise InputError(f"{path}: found no body, expected at least one; give a file that has some")
    return _payload(gathered, expect)


def whole_body(example: Any, place: str, params: Mapping[str, Any]) -> Payload:
    """A model's input example that is no table of rows, as the one body to send."""
    gathered = _Gathered()
    _take(Ready(place, dumps(example).encode("ascii"), value=example), gathered, None, params)
    return _payload(gathered, None)


def _take(ready: Ready, gathered: _Gathered, expect: str | None, params: Mapping[str, Any]) -> bytes:
    source = Source(ready.place, ready.path, ready.value, kind=ready.kind)
    if ready.path is None and ready.value is None:
        source = replace(source, data=ready.body)
    form = _form(source, expect)
    body = _with_params(source, form, params) if params else ready.body
    # A table of each of a hundred thousand lines would take minutes: the first of its form is looked at.
    rows = form.quick_count(source) if form.name in gathered.first_of else form.count(source)
    if rows < 1:
        raise InputError(f"{ready.place}: found no rows, expected at least one; give data that has rows")
    gathered.bodies.append(body)
    gathered.rows.append(rows)
    guessed = mimetypes.guess_type(f"x{ready.kind}")[0] or "application/octet-stream"
    known = form.content_type if form is not OTHER or ready.kind == ".json" else guessed
    gathered.content_types.append(ready.content_type or known)
    gathered.times_s.append(ready.at_s)
    gathered.first_of.setdefault(form.name, ready.place)
    first, other = gathered.answers.setdefault(form.answers, (ready.place, form))
    if len(gathered.answers) > 1 and expect is None:
        first, other = next(iter(gathered.answers.values()))
        raise InputError(
            f"{ready.place}: found a {form.name} body, and {first} is {other.name}: they are answered "
            "differently. Say with --expect what a valid answer is, such as --expect any, or split them"
        )
    return body


def _form(source: Source, expect: str | None) -> Form:
    """The form of a body; of one that has none, with `expect`, OTHER."""
    known = source.suffix in formats.suffixes()
    form = formats.recognise_body(source) if known else None
    if form is not None:
        return form
    if expect is not None:
        return OTHER
    if known:
        formats.refuse_unknown(source)
    raise InputError(
        f"{source.place}: found {source.suffix or 'no suffix'}, expected {', '.join(formats.suffixes())} or "
        f"{LINES_SUFFIXES[0]}; or say with --expect what a valid answer is, and it is sent as it is"
    )


def _with_params(source: Source, form: Form, params: Mapping[str, Any]) -> bytes:
    if form.params_key is None:
        raise InputError(
            f"--params: {source.place} is {form.name}, which has no place for them; leave them out"
        )
    body = dict(source.json)
    if form.params_key:
        inner = body.get(form.params_key)
        body[form.params_key] = {**(inner if isinstance(inner, Mapping) else {}), **params}
    else:
        body.update(params)
    try:
        return dumps(body).encode("ascii")
    except (TypeError, ValueError) as error:
        raise InputError(f"--params: {error}; give a JSON object") from None


def _payload(gathered: _Gathered, expect: str | None) -> Payload:
    order = range(len(gathered.bodies))
    times_s = [at_s for at_s in gathered.times_s if at_s is not None]
    timed = len(times_s) == len(gathered.times_s)
    if timed:
        order = sorted(order, key=times_s.__getitem__)  # type: ignore[assignment]
    types = tuple(gathered.content_types[index] for index in order)
    return Payload(
        bodies=tuple(gathered.bodies[index] for index in order),
        rows=tuple(gathered.rows[index] for index in order),
        content_type=types[0],
        format=", ".join(sorted(gathered.first_of)),
        answers=expect or next(iter(gathered.answers)),
        content_types=types if len(set(types)) > 1 else (),
        times_s=tuple(sorted(times_s)) if timed else (),
        notes=tuple(_notes(gathered, times_s if timed else [])),
    )


def _notes(gathered: _Gathered, times_s: list[float]) -> Iterator[str]:
    if gathered.left_out:
        whole = gathered.left_out + len(gathered.bodies)
        yield (
            f"{gathered.left_out:,} of {whole:,} recorded requests are not sent: they have no body "
            "(Databricks leaves out large ones)"
        )
    if len(times_s) > 1 and all(at_s == int(at_s) for at_s in times_s):
        yield "the recorded times are whole seconds: --arrivals recorded sends the calls of a second at once"


# ---- where they stand --------------------------------------------------------------------------------------


def _read(path: Path) -> Iterator[Ready | None]:
    """The bodies of a file, or of all files of a folder in the order of their names."""
    if not path.exists():
        raise InputError(f"{path}: found no such file, expected a request body; check the path")
    try:
        if path.is_dir():
            for file in _files(path):
                yield from _of_file(file)
        else:
            yield from _of_file(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None


def _files(folder: Path) -> list[Path]:
    if (folder / parquet_files.DELTA_LOG).is_dir():
        return parquet_files.files(folder)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not parquet_files.is_hidden(path, folder))


def _of_file(path: Path) -> Iterator[Ready | None]:
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty, expected a request body; correct or remove it")
    suffix = suffix_of(path)
    if formats.has_lines(suffix):
        for line in json_lines.read(path):
            is_captured = captures.is_sagemaker(line.value)
            yield (
                captures.of_sagemaker(line.value, line.place)
                if is_captured
                else Ready(line.place, line.text, value=line.value)
            )
    elif suffix == ".parquet" and captures.is_inference_table(path):
        yield from captures.of_inference_table(path)
    else:
        yield Ready(str(path), Source(str(path), path).bytes, kind=suffix, path=path)
