"""The body of a 200 in the Open Inference Protocol, version 2 → its tensors, checked. Knows JSON; no HTTP.

Source: the protocol's REST specification, "Inference Response JSON Object" and "Tensor Data".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import CHECKED_AT_ONCE, error_inside, in_chunks, says_error
from scorebench.answers.strict_json import NotPredictions, parsed

_WHOLE, _FLOATS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"), ("FP32", "FP64")
_KINDS: dict[str, frozenset[type]] = {
    "BOOL": frozenset({bool}),
    **dict.fromkeys(_WHOLE, frozenset({int})),
    **dict.fromkeys(("FP16", "BF16", *_FLOATS), frozenset({int, float})),
    "BYTES": frozenset({str}),
}
"""What the elements of each datatype are in JSON."""


def count_tensors(body: bytes, *, pause: Callable[[], None], **_: object) -> int:
    """The first dimension that all outputs share: the rows that they answer.

    Raises NotPredictions where an output has no known datatype, or other elements than its shape says.
    """
    with parsed(body, pause) as answer:
        if says_error(answer):
            raise error_inside()
        outputs = answer.get("outputs") if isinstance(answer, dict) else None
        if not isinstance(outputs, list):
            raise NotPredictions(Outcome.NOT_PARSEABLE, "JSON without typed outputs")
        firsts = set(_firsts(outputs, pause))
    if len(firsts) != 1:
        raise NotPredictions(Outcome.WRONG_COUNT, "no outputs, or of different first dimensions")
    return firsts.pop()


def _firsts(outputs: list[Any], pause: Callable[[], None]) -> Iterator[int]:
    """The first dimension of each output, checked."""
    for output in outputs:
        named = output if isinstance(output, dict) else {}
        shape, datatype, data = named.get("shape"), named.get("datatype"), named.get("data")
        if not (type(named.get("name")) is type(datatype) is str and type(shape) is type(data) is list):
            raise NotPredictions(Outcome.NOT_PARSEABLE, "JSON without typed outputs")
        kinds = _KINDS.get(datatype)
        if kinds is None or not all(type(length) is int and length >= 0 for length in shape):
            raise NotPredictions(Outcome.NOT_PARSEABLE, "an output of no such datatype or shape")
        elements = _count(data, kinds, pause)
        if elements != prod(shape):
            raise NotPredictions(Outcome.WRONG_COUNT, f"an output of {elements} elements and shape {shape}")
        yield shape[0] if shape else 1
        pause()


def _count(data: list[Any], kinds: frozenset[type], pause: Callable[[], None]) -> int:
    """How many elements there are, each of one of the kinds."""
    if len(data) <= CHECKED_AT_ONCE and kinds.issuperset(map(type, data)):
        return len(data)
    elements = 0
    for chunk in _chunks(data, pause):
        found = set(map(type, chunk))
        if type(None) in found:
            raise NotPredictions(Outcome.NULL_PREDICTION, "a null, which no datatype has")
        if not found <= kinds:
            raise NotPredictions(Outcome.NOT_PARSEABLE, "an element that is not of its datatype")
        elements += len(chunk)
    return elements


def _chunks(data: list[Any], pause: Callable[[], None]) -> Iterator[list[Any]]:
    """The elements of lists in lists, however deep they are: flat, or as the shape has them."""
    todo = [in_chunks(data, pause)]
    while todo:
        for chunk in todo[-1]:
            if list not in map(type, chunk):
                yield chunk
                continue
            yield [one for one in chunk if not isinstance(one, list)]
            todo.extend(in_chunks(one, pause) for one in chunk if isinstance(one, list))
            break
        else:
            todo.pop()
