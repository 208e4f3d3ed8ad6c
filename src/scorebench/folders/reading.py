"""A file of ours → a typed record, or one line that says why it is not one. Knows files, bounds and msgspec.

A file may be hostile: its size and the number of its values are bounded before anything is unpacked, msgspec
checks every type as it decodes, and an error line holds no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scorebench.errors import InputError
from scorebench.folders.names import RECORDING
from scorebench.recordings.form import (
    FORMAT,
    Head,
    RecordingForm,
    fault_in_environment,
    recording_of,
)
from scorebench.recordings.recording import Recording
from scorebench.recordings.types import LONGEST_RUN_S
from scorebench.report.words import plain

MOST_BYTES = 512 * 2**20
MOST_VALUES = 40_000_000
"""Numbers, texts, lists and objects in a file: each takes up to 64 bytes of memory."""
DEEPEST = 20
"""Lists within lists. What lies deeper could be read, and not be written again."""
T = TypeVar("T")
_PLACE = re.compile(r"(?P<problem_text>.*?)(?: - at (?P<key>`key` in )?`(?P<place>\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Version(msgspec.Struct):
    format: Any
    measured: msgspec.Raw


def content_of(file: Path, what: str, hint: str) -> bytes:
    """The bytes of `file`. InputError where it can't be read, or holds more than a recording of ours may."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror or problem}; expected {what}. {hint}") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{file}: found more than {MOST_BYTES / 2**20:.0f} MiB; expected {what}.")
    values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if values > MOST_VALUES:
        raise InputError(f"{file}: found {values:,} values; expected {what}, with {MOST_VALUES:,} at most.")
    return _with_whole_characters(content)


def decoded(content: bytes, form: type[T], file: Path, what: str) -> T:
    """`content` as `form`. InputError with the place, what was found there and what was expected."""
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as problem:
        try:
            fault = _fault(str(problem), content)
        except _NOT_JSON:  # behind the fault, where the first reader did not look
            raise InputError(f"{file}: is not JSON, or cut short; expected {what}.") from None
        raise InputError(f"{file}: is damaged: {fault}. Expected {what}, unchanged.") from None
    except _NOT_JSON:
        raise InputError(f"{file}: is not JSON, or cut short; expected {what}.") from None


def read_recording(file: Path) -> Recording:
    """The recording in a file. InputError if it can't be read."""
    what = f"the {RECORDING} of a run"
    content = content_of(file, what, "Give the folder that a run left, such as reports/latest.")
    _check_version(content, file, what)
    decoded(content, Head, file, what)
    form = decoded(content, RecordingForm, file, what)
    if fault := _fault_within(form):
        raise InputError(f"{file}: is damaged: {fault}. Expected {what}, unchanged.")
    try:
        return recording_of(form)
    except ValueError as problem:
        raise InputError(f"{file}: is damaged: found {problem}. Expected {what}, unchanged.") from None


def _check_version(content: bytes, file: Path, what: str) -> None:
    """InputError that names the version, where it is another."""
    try:
        found = msgspec.json.decode(content, type=_Version).format
    except msgspec.ValidationError:
        raise InputError(f"{file}: is not a recording of scorebench; expected {what}.") from None
    except _NOT_JSON:
        raise InputError(f"{file}: is not JSON, or cut short; expected {what}.") from None
    if found != FORMAT or isinstance(found, bool):
        raise InputError(
            f"{file}: is a recording of format {plain(repr(found), 40)}; this scorebench reads format "
            f"{FORMAT}. Read it with the version that wrote it, or run again."
        )


def _fault_within(form: RecordingForm) -> str | None:
    """What no type says: how far the seconds reach, and how the open environment looks."""
    for phase in ("measured", "warm_up"):
        seconds = [row.second for row in getattr(form, phase).seconds]
        if seconds and (length_s := max(seconds) - min(seconds)) > LONGEST_RUN_S:
            return f"$.{phase}.seconds: found {length_s:,} s; expected a week at most"
    if not is_flat(form.environment, DEEPEST):
        return f"$.environment: found lists within lists; expected at most {DEEPEST}"
    if problem_text := fault_in_environment(form.environment):
        return _fault(
            problem_text.replace("`$", "`$.environment"),
            msgspec.json.encode({"environment": form.environment}),
        )
    return None


def _with_whole_characters(content: bytes) -> bytes:
    """Halves of a character, which earlier versions wrote as escapes, become the sign for an unknown one."""
    if b"\\u" not in content:
        return content

    def whole(found: re.Match[bytes]) -> bytes:
        escape = found[0]
        return b"\\ufffd" if len(escape) == 6 and escape[2:3] in b"dD" else escape

    return _ESCAPE.sub(whole, content)


def _fault(problem_text: str, content: bytes) -> str:
    """msgspec's line as place, what was found and what was expected; it tells only what was expected."""
    match = _PLACE.fullmatch(problem_text)
    assert match is not None  # everything in it is optional
    problem, place = match["problem_text"].replace("`", ""), match["place"] or "$"
    if not problem.startswith("Expected "):
        return plain(f"{place}: {problem[0].lower()}{problem[1:]}", 200)
    expected = problem.removeprefix("Expected ").partition(", got ")[0]
    if match["key"]:
        return plain(f"{place}: found another name; expected {expected}", 200)
    return f"{plain(place, 120)}: found {_shown(_at(place, content))}; expected {plain(expected, 80)}"


def _at(place: str, content: bytes) -> Any:
    """The value at a place such as `$.users[3][0]`; where msgspec names no key (`[...]`), what holds it."""
    value = msgspec.json.decode(content)
    for name, index in _STEP.findall(place):
        if not name and not index:
            break
        value = value[name] if name else value[int(index)]
    return value


def _shown(value: Any) -> str:
    return plain(msgspec.json.encode(value).decode("utf-8", "replace"), 60)


def is_flat(value: Any, levels: int) -> bool:
    """Whether no list or object lies deeper than `levels`, itself the first."""
    level = [value]
    for _ in range(levels):
        level = [item for outer in level for item in _items(outer) if isinstance(item, (dict, list))]
        if not level:
            return True
    return False


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
