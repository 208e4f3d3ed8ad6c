"""The body of a 200 in the Open Inference Protocol, version 2 → its tensors, checked. Knows JSON; no HTTP.

Source: the protocol's REST specification, "Inference Response JSON Object" and "Tensor Data".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import msgspec

from scorebench.answers import slices
from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import (
    ERROR_KEYS,
    SLICE_BYTES,
    NotPredictions,
    error_inside,
    parse_json,
    says_error,
)

_WHOLE, _FLOATS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"), ("FP32", "FP64")
_KINDS: dict[str, Any] = {
    "BOOL": bool,
    **dict.fromkeys(_WHOLE, int),
    **dict.fromkeys(("FP16", "BF16", *_FLOATS), float),
    "BYTES": str,
}
"""What the elements of each datatype are in JSON."""
_FLAT = {kind: msgspec.json.Decoder(list[kind]) for kind in (bool, int, float, str)}  # type: ignore[valid-type]
_ELEMENTS: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}


class _Output(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw


_Answer = msgspec.defstruct(
    "_Answer", [("outputs", list[_Output]), *((key, Any, None) for key in ERROR_KEYS)]
)
_decode = msgspec.json.Decoder(_Answer).decode


def count_tensors(body: bytes, *, pause: Callable[[], None], **_: object) -> int:
    """The first dimension that all outputs share: the rows that they answer.

    Raises NotPredictions where an output has no known datatype, or other elements than its shape says.
    """
    try:
        answer: Any = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _why_not(body) from None
    if says_error({key: getattr(answer, key) for key in ERROR_KEYS}):
        raise error_inside()
    firsts = set()
    for output in answer.outputs:
        _check(output, pause)
        firsts.add(output.shape[0] if output.shape else 1)
        pause()
    if len(firsts) != 1:
        raise NotPredictions(Outcome.WRONG_COUNT, "no outputs, or of different first dimensions")
    return int(firsts.pop())


def _check(output: _Output, pause: Callable[[], None]) -> None:
    kind = _KINDS.get(output.datatype)
    if kind is None or any(length < 0 for length in output.shape):
        raise NotPredictions(Outcome.NOT_PARSEABLE, f"output {output.name}: no such datatype or shape")
    try:
        elements = 0
        for piece in slices.cut(bytes(output.data), SLICE_BYTES):
            elements += _count_elements(piece.text, kind)
            pause()
    except slices.BadComma as error:
        raise NotPredictions(Outcome.NOT_PARSEABLE, f"not JSON: {error}") from None
    if elements != prod(output.shape):
        raise NotPredictions(
            Outcome.WRONG_COUNT, f"output {output.name}: {elements} elements, shape {output.shape}"
        )


def _count_elements(data: bytes, kind: Any) -> int:
    try:
        return len(_FLAT[kind].decode(data))
    except (msgspec.MsgspecError, RecursionError):  # lists in lists, as the shape has them
        return _count_nested(data, kind)


def _count_nested(data: bytes, kind: Any) -> int:
    elements = 0
    for element in _flattened(parse_json(data)):
        if element is None:
            raise NotPredictions(Outcome.NULL_PREDICTION, "a null, which no datatype has")
        if type(element) not in _ELEMENTS[kind]:
            raise NotPredictions(Outcome.NOT_PARSEABLE, "an element that is not of its datatype")
        elements += 1
    return elements


def _flattened(value: Any) -> Iterator[Any]:
    """The elements of lists in lists, however deep they are."""
    todo = [iter([value])]
    while todo:
        for item in todo[-1]:
            if isinstance(item, list):
                todo.append(iter(item))
                break
            yield item
        else:
            todo.pop()


def _why_not(body: bytes) -> NotPredictions:
    if says_error(parse_json(body)):  # which raises where it is no JSON
        return error_inside()
    return NotPredictions(Outcome.NOT_PARSEABLE, "JSON without typed outputs")
