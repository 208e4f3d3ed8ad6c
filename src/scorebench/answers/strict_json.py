"""Strict JSON → its value, a large text slice by slice. Knows JSON's readers; no predictions, no HTTP.

msgspec reads strict JSON several times as fast as `json.loads`. What msgspec refuses goes to `json.loads`,
which says what is wrong, or takes what is unusual but right: a byte order mark, half a surrogate pair.
A text has the same value, or the same fault, whether it is read whole or in slices: the first fault counts,
and bytes that are no text come before all others.
"""

from __future__ import annotations

import codecs
import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from scorebench.answers import slices
from scorebench.answers.joined import Joined, TooManyKeys
from scorebench.answers.outcome import Outcome

SLICE_BYTES = 65_536
"""Parsed at once, in about a millisecond."""
LARGE_BYTES = 4 * SLICE_BYTES
"""A larger text goes slice by slice; that takes longer, and keeps nobody waiting."""
_ENCODED_AT_ONCE = 2**20

_decode = msgspec.json.Decoder().decode


class NotPredictions(ValueError):
    """A body that holds no predictions; `outcome` says in which way."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def parse(body: bytes) -> Any:
    """The value of strict JSON; NotPredictions for anything else, a bare NaN by its own name."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_unusual(body, json.detect_encoding(body))


@contextmanager
def parsed(body: bytes, pause: Callable[[], None]) -> Iterator[Any]:
    """As `parse`. A large body calls `pause` between its slices, and while its value is freed at the end."""
    if len(body) <= LARGE_BYTES:
        yield parse(body)
        return
    with _no_collection():
        joined = Joined(parse_slice)
        try:
            _read(body, joined, pause)
            yield joined.value
        finally:
            joined.give_up(pause)


def parse_large(body: bytes, pause: Callable[[], None]) -> Any:
    """As `parsed`, for who keeps the value."""
    if len(body) <= LARGE_BYTES:
        return parse(body)
    joined = Joined(parse_slice)
    _read(body, joined, pause)
    return joined.value


def _read(body: bytes, joined: Joined, pause: Callable[[], None]) -> None:
    with text_first(body, pause):
        for piece in in_slices(as_utf8(body, pause), pause):
            part = parse_slice(piece.text)
            try:
                joined.add(piece, part)
            except TooManyKeys as error:
                raise _beyond(str(error)) from error


_collecting: list[bool] = []
"""For each large value that is being read: whether Python's collector was on when its reading began."""


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's collector of cycles: it looks at millions of new objects at once, and finds none."""
    _collecting.append(gc.isenabled() or any(_collecting))
    gc.disable()
    try:
        yield
    finally:
        was_on = _collecting.pop()
        if was_on and not _collecting:
            gc.enable()


def in_slices(text: bytes, pause: Callable[[], None]) -> Iterator[slices.Slice]:
    """The slices of a text in UTF-8, with a pause after each. NotPredictions as `parse`."""
    try:
        for piece in slices.cut(text, SLICE_BYTES):
            yield piece
            pause()
    except slices.Beyond as error:
        raise _beyond(str(error)) from error
    except slices.NotCut as error:
        raise no_json() from error


@contextmanager
def text_first(body: bytes, pause: Callable[[], None]) -> Iterator[None]:
    """A fault that is found in a slice is not that of the body where the rest of it is no text."""
    try:
        yield
    except NotPredictions:
        as_utf8(body, pause, checked=True)
        raise


def as_utf8(body: bytes, pause: Callable[[], None], *, checked: bool = False) -> bytes:
    """The body without a byte order mark, in UTF-8, which RFC 8259 asks for; UTF-16 and UTF-32 are read, too.

    UTF-8 stays as it is, unless it is to be `checked`. NotPredictions where the bytes are no text.
    """
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8") and not checked:
        return body.removeprefix(codecs.BOM_UTF8)
    decoder, made = codecs.getincrementaldecoder(encoding)("surrogatepass"), []
    try:
        for at in range(0, len(body), _ENCODED_AT_ONCE):
            is_last = at + _ENCODED_AT_ONCE >= len(body)
            text = decoder.decode(body[at : at + _ENCODED_AT_ONCE], is_last)
            made.append(text.encode("utf-8", "surrogatepass"))
            pause()
    except UnicodeDecodeError as error:
        raise no_json() from error
    return b"".join(made)


def parse_slice(text: bytes) -> Any:
    """The value of one slice, as `parse`: it is UTF-8, however it begins."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_unusual(text, "utf-8")


def _parse_unusual(body: bytes, encoding: str) -> Any:
    try:
        text = body.decode(encoding, "surrogatepass")
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except NotPredictions:
        raise
    except RecursionError as error:
        raise _beyond("nested too deep") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise no_json() from error
    except ValueError as error:  # of Python's `int`
        raise _beyond("a number of too many digits") from error


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise out_of_range()
    return value


def _refuse_constant(name: str) -> None:
    outcome = Outcome.NAN_PREDICTION if name == "NaN" else Outcome.NOT_PARSEABLE
    raise NotPredictions(outcome, f"a bare {name} is not JSON")


def no_json() -> NotPredictions:
    """A text that no reader takes. Its cause says where the fault is: in a slice that is another place."""
    return NotPredictions(Outcome.NOT_PARSEABLE, "not JSON")


def _beyond(what: str) -> NotPredictions:
    """A text that may be JSON, and that no reader here takes."""
    return NotPredictions(Outcome.NOT_PARSEABLE, f"not read as JSON: {what}")


def out_of_range() -> NotPredictions:
    """A number that no double can hold."""
    return NotPredictions(Outcome.OUT_OF_RANGE, "a number beyond a double")
