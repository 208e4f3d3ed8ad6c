"""The body of a 200 → its predictions, one a row: MLflow's replies. Knows JSON; no HTTP, no time.

msgspec reads strict JSON several times as fast as `json.loads`. What msgspec refuses goes to `json.loads`,
which says what is wrong, or takes what is unusual but right: a byte order mark, half a surrogate pair.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from scorebench.answers import slices
from scorebench.answers.outcome import Outcome

ERROR_KEYS = ("error", "Error", "error_code", "exception", "stack_trace")
"""Keys by which an object says that it is an error, where the value is text or an object: a model may well
predict a number that it calls "error"."""
SLICE_BYTES = 65_536
"""Parsed at once, in about a millisecond; a larger list of numbers goes slice by slice."""
LARGE_BYTES = 4 * SLICE_BYTES
"""Any larger JSON goes slice by slice too; that takes longer, and keeps nobody waiting."""
CHECKED_AT_ONCE = 10_000

_LIST_STARTS = re.compile(rb'\s*(\{\s*"predictions"\s*:\s*)?\[')
_LIST_ENDS = re.compile(rb"\]\s*(\}\s*)?\Z")
_END_BYTES = 100
_PLAIN = {float, str, bool}
_decode = msgspec.json.Decoder().decode
_Numbers = msgspec.defstruct(
    "_Numbers", [("predictions", list[float]), *((key, Any, None) for key in ERROR_KEYS)]
)
_decode_numbers = msgspec.json.Decoder(list[float] | _Numbers).decode


class NotPredictions(ValueError):
    """A body that holds no predictions; `outcome` says in which way."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def parse_predictions(
    body: bytes, *, nulls: bool = True, pause: Callable[[], None] = lambda: None
) -> list[Any]:
    """The predictions of a 200's body, one a row: `{"predictions": …}`, or the bare list of MLflow 1.x.

    A dict of equally long columns (a model with several named outputs) counts as its rows. `nulls` says
    whether a prediction may be null. Raises NotPredictions for everything else.
    """
    predictions = _unwrapped(parse_json(body, pause))
    for begin in range(0, len(predictions), CHECKED_AT_ONCE):
        _check(predictions[begin : begin + CHECKED_AT_ONCE], nulls)
        pause()
    return predictions


def parse_json(body: bytes, pause: Callable[[], None] = lambda: None) -> Any:
    """The value of strict JSON; NotPredictions for anything else, a bare NaN by its own name.

    A large body calls `pause` between its slices.
    """
    if len(body) <= LARGE_BYTES:
        return _parse(body)
    try:
        return slices.read(body, SLICE_BYTES, _parse, pause)
    except slices.BadComma as error:
        raise _no_json(error) from None


def _parse(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_unusual(body)


def count_predictions(body: bytes, *, nulls: bool = True, pause: Callable[[], None] = lambda: None) -> int:
    """How many predictions the body holds. A large body calls `pause` between its slices."""
    if len(body) <= SLICE_BYTES:
        return _count(body, nulls)
    numbers = _list_of_numbers(body)
    if numbers is None:
        return _count(body, nulls) if len(body) <= LARGE_BYTES else _count_large(body, nulls, pause)
    count = 0
    try:
        for piece in slices.cut(numbers, SLICE_BYTES):
            began_before = piece.depth > 1  # its first row goes on from the slice before
            count += _count(piece.text, nulls) - began_before
            pause()
    except slices.BadComma as error:
        raise _no_json(error) from None
    return count


def count_values(body: bytes, *, nulls: bool = True, pause: Callable[[], None] = lambda: None) -> int:
    """As `count_predictions`; a scalar, or any other object, is one value.

    So do models answer that say one thing about all rows, and servers that are not MLflow.
    """
    try:
        return count_predictions(body, nulls=nulls, pause=pause)
    except NotPredictions as error:
        if error.outcome is not Outcome.NOT_PARSEABLE:
            raise
    parsed = parse_json(body, pause)
    value = parsed.get("predictions", parsed) if isinstance(parsed, dict) else parsed
    if value is None:
        raise NotPredictions(Outcome.NULL_PREDICTION, "a null in place of all predictions")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise _out_of_range()
    return 0 if value in ("", [], {}) else 1


def _count(body: bytes, nulls: bool) -> int:
    """The usual case first: numbers alone, which need no look at each."""
    try:
        numbers = _decode_numbers(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return len(parse_predictions(body, nulls=nulls))
    if isinstance(numbers, list):
        return len(numbers)
    if says_error({key: getattr(numbers, key) for key in ERROR_KEYS}):
        raise error_inside()
    return len(numbers.predictions)


def _count_large(body: bytes, nulls: bool, pause: Callable[[], None]) -> int:
    predictions = parse_predictions(body, nulls=nulls, pause=pause)
    count = len(predictions)
    while predictions:  # millions of objects take long to be dropped, too
        del predictions[-CHECKED_AT_ONCE:]
        pause()
    return count


def says_error(value: object) -> bool:
    """Whether a JSON object says that it is an error."""
    return isinstance(value, dict) and any(
        isinstance(found := value.get(key), str | dict) and bool(found) for key in ERROR_KEYS
    )


def _parse_unusual(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except NotPredictions:
        raise
    except (ValueError, RecursionError) as error:
        raise _no_json(error) from None


def _unwrapped(parsed: Any) -> list[Any]:
    if says_error(parsed):
        raise error_inside()
    predictions = parsed.get("predictions") if isinstance(parsed, dict) else parsed
    if isinstance(predictions, dict) and predictions:
        if says_error(predictions):
            raise error_inside()
        return _rows_of_columns(predictions)
    if not isinstance(predictions, list):
        raise NotPredictions(Outcome.NOT_PARSEABLE, "JSON without a list of predictions")
    return predictions


def _rows_of_columns(columns: dict[str, Any]) -> list[Any]:
    if not all(isinstance(column, list) for column in columns.values()):
        return [columns]
    if len({len(column) for column in columns.values()}) > 1:
        raise NotPredictions(Outcome.NOT_PARSEABLE, "columns of predictions of unequal length")
    return list(zip(*columns.values(), strict=True))


def _check(predictions: list[Any], nulls: bool) -> None:
    """NotPredictions where a row holds an error, a null that can't be, or a number that is no double."""
    kinds = set(map(type, predictions))
    if kinds <= _PLAIN:
        return
    if dict in kinds and any(map(says_error, predictions)):
        raise error_inside()
    if not nulls and any(map(_holds_null, predictions)):
        raise NotPredictions(Outcome.NULL_PREDICTION, "a null, which the model's signature does not allow")
    if int in kinds and any(type(p) is int and abs(p) > sys.float_info.max for p in predictions):
        raise _out_of_range()


def _holds_null(prediction: Any) -> bool:
    """Whether a row, or one of its named outputs, is null."""
    values = prediction.values() if isinstance(prediction, dict) else prediction
    return prediction is None or (isinstance(prediction, dict | tuple) and None in values)


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


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _out_of_range()
    return value


def _refuse_constant(name: str) -> None:
    outcome = Outcome.NAN_PREDICTION if name == "NaN" else Outcome.NOT_PARSEABLE
    raise NotPredictions(outcome, f"a bare {name} is not JSON")


def _no_json(error: Exception) -> NotPredictions:
    return NotPredictions(Outcome.NOT_PARSEABLE, f"not JSON: {error}")


def error_inside() -> NotPredictions:
    return NotPredictions(Outcome.ERROR_INSIDE, "an object that says it is an error")


def _out_of_range() -> NotPredictions:
    return NotPredictions(Outcome.OUT_OF_RANGE, "a number beyond a double")
