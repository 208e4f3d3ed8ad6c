"""The same bodies to two servers, one after the other: do they predict the same? Knows single calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import parse_predictions
from scorebench.answers.strict_json import NotPredictions
from scorebench.comparison import alike
from scorebench.runs import one_call

if TYPE_CHECKING:
    from scorebench.client.exchange import OneCall
    from scorebench.options.settings import Settings
    from scorebench.payloads.payload import Payload

MOST_BODIES = 100
"""Bodies that are compared, spread over all of them."""


def compare(a: Settings, b: Settings, payload: Payload) -> alike.Alike:
    """Send each body to A and to B. A call that failed, or an answer without predictions, is unread."""
    answered: list[tuple[list[Any], list[Any]]] = []
    unread, problem = 0, ""
    for number in _spread(len(payload.bodies)):
        both = [_predictions(one_call.call(one, payload, number)) for one in (a, b)]
        texts = [f"{name}: {found}" for name, found in zip("AB", both, strict=True) if isinstance(found, str)]
        if texts:
            unread += 1
            problem = problem or texts[0]
        else:
            answered.append((list(both[0]), list(both[1])))
    return replace(alike.compare(answered, a.tolerance), unread=unread, problem=problem)


def _spread(bodies: int) -> list[int]:
    """Which bodies: the first, and others at equal distances."""
    count = min(bodies, MOST_BODIES)
    return [number * bodies // count for number in range(count)]


def _predictions(done: OneCall) -> list[Any] | str:
    """What was predicted; or why nothing was."""
    if done.answer is None or done.outcome is not Outcome.VALID:
        return done.problem or done.outcome.label
    try:
        return parse_predictions(done.answer.body)
    except NotPredictions as error:
        return str(error)
