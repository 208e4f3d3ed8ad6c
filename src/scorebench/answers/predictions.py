"""The body of a 200 → its predictions, one a row: MLflow's replies. Knows JSON; no HTTP, no time.

The usual answer, a list of numbers, is counted without a look at each. A large one is counted slice by slice,
with the same result: which of two faults is named does not depend on how an answer is read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from scorebench.answers import strict_json
from scorebench.answers.outcome import Outcome
from scorebench.answers.strict_json import (
    NotPredictions,
    in_slices,
    out_of_range,
    parse,
    parse_large,
    parsed,
    text_first,
)

ERROR_KEYS = ("error", "Error", "error_code", "exception", "stack_trace")
"""Keys by which an object says that it is an error, where the value is text or an object: a model may well
predict a number that it calls "error"."""
CHECKED_AT_ONCE = 10_000
ROWS_AT_ONCE = 1_000
"""Rows that are objects or lists: a look at each takes longer than one at a number."""

_BLANKS = rb"[ \t\r\n]{0,99}"
_LIST_STARTS = re.compile(
    _BLANKS + rb"(\{" + _BLANKS + rb'"predictions"' + _BLANKS + b":" + _BLANKS + rb")?\["
)
_LIST_ENDS = re.compile(rb"\]" + _BLANKS + rb"(\}" + _BLANKS + rb")?\Z")
_END_BYTES = 100
_PLAIN = {float, str, bool}
_Numbers = msgspec.defstruct(
    "_Numbers",
    [("predictions", list[float]), *((key, Any, None) for key in ERROR_KEYS)],
    forbid_unknown_fields=True,  # else what stands there is not held to be JSON
)
_decode_numbers = msgspec.json.Decoder(list[float] | _Numbers).decode
_FAULTS = {
    Outcome.ERROR_INSIDE: "an object that says it is an error",
    Outcome.NULL_PREDICTION: "a null, which the model's signature does not allow",
    Outcome.OUT_OF_RANGE: "a number beyond a double",
}
"""What can be wrong with a row that is JSON; of two faults, the first one here is named."""
Pause = Callable[[], None]


def no_pause() -> None:
    """For a reader that keeps nobody waiting."""


def parse_predictions(body: bytes, *, nulls: bool = True, pause: Pause = no_pause) -> list[Any]:
    """The predictions of a 200's body, one a row: `{"predictions": …}`, or the bare list of MLflow 1.x.

    A dict of equally long columns (a model with several named outputs) counts as its rows. `nulls` says
    whether a prediction may be null. Raises NotPredictions for everything else.
    """
    predictions = _unwrapped(parse_large(body, pause))
    _count_checked(predictions, nulls, pause)
    if not isinstance(predictions, dict):
        return predictions
    if _are_columns(predictions, pause):
        rows = zip(*predictions.values(), strict=True)
        return [row for chunk in in_chunks(rows, pause) for row in chunk]
    return [predictions]


def count_predictions(body: bytes, *, nulls: bool = True, pause: Pause = no_pause) -> int:
    """How many predictions the body holds. A large body calls `pause` between its slices."""
    if len(body) <= strict_json.SLICE_BYTES:
        return _count(body, nulls)
    numbers = _list_of_numbers(body)
    if numbers is not None:
        with text_first(body, pause):
            return _count_numbers(numbers, nulls, pause)
    if len(body) <= strict_json.LARGE_BYTES:
        return _count(body, nulls)
    with parsed(body, pause) as value:
        return _count_checked(_unwrapped(value), nulls, pause)


def count_values(body: bytes, *, nulls: bool = True, pause: Pause = no_pause) -> int:
    """As `count_predictions`; a scalar, or any other object, is one value.

    So do models answer that say one thing about all rows, and servers that are not MLflow.
    """
    try:
        return count_predictions(body, nulls=nulls, pause=pause)
    except NotPredictions as error:
        if error.outcome is not Outcome.NOT_PARSEABLE:
            raise
    with parsed(body, pause) as whole:
        value = whole.get("predictions", whole) if isinstance(whole, dict) else whole
        if value is None:
            raise NotPredictions(Outcome.NULL_PREDICTION, "a null in place of all predictions")
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise out_of_range()
        return 0 if value in ("", [], {}) else 1


def _count(body: bytes, nulls: bool) -> int:
    """The usual case first: numbers alone, which need no look at each."""
    try:
        numbers = _decode_numbers(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _count_checked(_unwrapped(parse(body)), nulls, no_pause)
    if isinstance(numbers, list):
        return len(numbers)
    if says_error({key: getattr(numbers, key) for key in ERROR_KEYS}):
        raise error_inside()
    return len(numbers.predictions)


def _count_numbers(numbers: bytes, nulls: bool, pause: Pause) -> int:
    """As `_count` for a list of numbers or of lists, in slices; no JSON comes before a row's fault."""
    count, faults = 0, set[Outcome]()
    for piece in in_slices(numbers, pause):
        began_before = len(piece.opened) > 1  # its first row goes on from the slice before
        try:
            rows = _decode_numbers(piece.text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            rows = strict_json.parse_slice(piece.text)
            faults |= _faults(rows, nulls, no_pause)
        count += len(rows) - began_before
    _raise_gravest(faults)
    return count


def says_error(value: object) -> bool:
    """Whether a JSON object says that it is an error."""
    if not isinstance(value, dict) or value.keys().isdisjoint(ERROR_KEYS):
        return False
    return any(isinstance(found := value.get(key), str | dict) and bool(found) for key in ERROR_KEYS)


def in_chunks(values: Iterable[Any], pause: Pause, at_once: int = CHECKED_AT_ONCE) -> Iterator[list[Any]]:
    """The values, so many at a time, with a pause after each."""
    rest = iter(values)
    while chunk := list(islice(rest, at_once)):
        yield chunk
        pause()


def _unwrapped(value: Any) -> list[Any] | dict[str, Any]:
    """The rows, or the named outputs, of a whole answer."""
    if says_error(value):
        raise error_inside()
    predictions = value.get("predictions") if isinstance(value, dict) else value
    if isinstance(predictions, dict) and predictions:
        if says_error(predictions):
            raise error_inside()
        return predictions
    if not isinstance(predictions, list):
        raise NotPredictions(Outcome.NOT_PARSEABLE, "JSON without a list of predictions")
    return predictions


def _count_checked(predictions: list[Any] | dict[str, Any], nulls: bool, pause: Pause) -> int:
    """How many rows these are. NotPredictions where one is an error, a null that can't be, or no double."""
    if isinstance(predictions, list):
        _raise_gravest(_faults(predictions, nulls, pause))
        return len(predictions)
    if not _are_columns(predictions, pause):
        _raise_gravest(_faults([predictions], nulls, pause))
        return 1
    lengths = {len(column) for chunk in in_chunks(predictions.values(), pause) for column in chunk}
    if len(lengths) > 1:
        raise NotPredictions(Outcome.NOT_PARSEABLE, "columns of predictions of unequal length")
    if not nulls and _one_has_null(predictions.values(), pause):
        _raise_gravest({Outcome.NULL_PREDICTION})
    return lengths.pop()


def _are_columns(outputs: dict[str, Any], pause: Pause) -> bool:
    chunks = in_chunks(outputs.values(), pause)
    return all(isinstance(column, list) for chunk in chunks for column in chunk)


def _faults(rows: list[Any], nulls: bool, pause: Pause) -> set[Outcome]:
    """What is wrong with any of the rows."""
    found = set[Outcome]()
    for begin in range(0, len(rows), CHECKED_AT_ONCE):
        chunk = rows[begin : begin + CHECKED_AT_ONCE]
        kinds = set(map(type, chunk))
        if not kinds <= _PLAIN:
            found.update(_faults_of(chunk, kinds, nulls, pause))
        pause()
    return found


def _faults_of(rows: list[Any], kinds: set[type], nulls: bool, pause: Pause) -> Iterator[Outcome]:
    if dict in kinds and any(any(map(says_error, some)) for some in in_chunks(rows, pause, ROWS_AT_ONCE)):
        yield Outcome.ERROR_INSIDE
    outputs = (row.values() for row in rows if isinstance(row, dict))
    if not nulls and (type(None) in kinds or (dict in kinds and _one_has_null(outputs, pause))):
        yield Outcome.NULL_PREDICTION
    if int in kinds and any(type(p) is int and abs(p) > sys.float_info.max for p in rows):
        yield Outcome.OUT_OF_RANGE


def _one_has_null(many: Iterable[Iterable[Any]], pause: Pause) -> bool:
    """Whether one of many columns, or of many rows with named outputs, has a null."""
    values = (value for one in many for value in one)
    return any(value is None for chunk in in_chunks(values, pause) for value in chunk)


def _raise_gravest(faults: Collection[Outcome]) -> None:
    for outcome, message in _FAULTS.items():
        if outcome in faults:
            raise NotPredictions(outcome, message)


def _list_of_numbers(body: bytes) -> bytes | None:
    """A list of numbers, or of lists of numbers, out of its object; None for any other body."""
    start = _LIST_STARTS.match(body)
    end = _LIST_ENDS.search(body, len(body) - _END_BYTES)
    if start is None or end is None or bool(start[1]) != bool(end[1]):
        return None
    first, last = start.end(), end.start()
    if body.find(b'"', first, last) >= 0 or body.find(b"{", first, last) >= 0:
        return None
    return body[first - 1 : last + 1]


def error_inside() -> NotPredictions:
    """An answer that is an error, whatever its status says."""
    return NotPredictions(Outcome.ERROR_INSIDE, _FAULTS[Outcome.ERROR_INSIDE])
