"""What makes the body of a 200 valid: one record for each kind of answer. Knows bodies; no HTTP, no time.

A payload names the kind of answer that it expects (`Payload.answers`), and `--expect` another. To add a kind,
add a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scorebench.answers.agents import count_chat, count_completion, count_embeddings, count_responses
from scorebench.answers.json_path import JsonPath
from scorebench.answers.outcome import Outcome
from scorebench.answers.pages import is_page
from scorebench.answers.predictions import count_predictions, count_values, error_inside, no_pause, says_error
from scorebench.answers.strict_json import LARGE_BYTES, NotPredictions, parsed
from scorebench.answers.tensors import count_tensors
from scorebench.errors import InputError


class Count(Protocol):
    """How many units (rows) a body answers, or None where there is nothing to count in a whole answer.

    Raises NotPredictions, which names the outcome. `nulls`: whether a unit may be null. `pause` lets others
    go first, between the slices of a large body.
    """

    def __call__(self, body: bytes, *, nulls: bool, pause: Callable[[], None]) -> int | None: ...


@dataclass(frozen=True)
class Reading:
    """One kind of answer. `words` complete the sentence "a 200 is valid if …".

    `varies`: such an answer holds its own time or id, so that two answers to one body always differ.
    """

    name: str
    count: Count
    words: str
    varies: bool = False


def _any(body: bytes, *, nulls: bool, pause: Callable[[], None]) -> None:
    if not count_values(body, nulls=nulls, pause=pause):
        raise NotPredictions(Outcome.WRONG_COUNT, "no prediction at all")


def _text(body: bytes, *, pause: Callable[[], None], **_: object) -> None:
    try:
        text = body.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise NotPredictions(Outcome.NOT_PARSEABLE, "no UTF-8") from None
    if not text or is_page(body):
        raise NotPredictions(Outcome.NOT_PARSEABLE, "no text, or a web page")
    if text.startswith("{") and _is_error(body, pause):
        raise error_inside()


def _is_error(body: bytes, pause: Callable[[], None]) -> bool:
    try:
        with parsed(body, pause) as value:
            return says_error(value)
    except NotPredictions:
        return False  # text may look like anything


ROWS = Reading("rows", count_predictions, "it holds one prediction per row")
READINGS: dict[str, Reading] = {
    reading.name: reading
    for reading in (
        ROWS,
        Reading("any", _any, "it holds any JSON but an error: one value, or any number of predictions"),
        Reading("chat", count_chat, "it is a chat completion: `choices`, or `messages`", varies=True),
        Reading("completion", count_completion, "it is a completion: `choices` with text", varies=True),
        Reading("responses", count_responses, "it is a response: a list of `output` items", varies=True),
        Reading(
            "embeddings", count_embeddings, "it holds one embedding per text, or is a response", varies=True
        ),
        Reading(
            "v2", count_tensors, "its `outputs` are whole tensors whose first dimension is the number of rows"
        ),
        Reading("text", _text, "it is text, and no web page", varies=True),
        Reading(
            "random",
            count_predictions,
            "it holds one prediction per row, which may differ from call to call",
            varies=True,
        ),
    )
}
"""By the name that `--expect` takes, in the order in which help and docs list them."""


@dataclass(frozen=True)
class Expected:
    """What is asked of each answer: a reading, and how many units it has to count, if not one a row."""

    reading: Reading
    number: int | None = None

    def counts(self, rows: Sequence[int]) -> tuple[int, ...]:
        """The number that the reading has to count in the answer to each body."""
        return tuple(rows) if self.number is None else (self.number,) * len(rows)


def expected(text: str) -> Expected:
    """What `--expect` asks for: the name of a reading, a number of predictions, or a JSONPath.

    Raises InputError for anything else.
    """
    text = text.strip()
    if text in READINGS:
        return Expected(READINGS[text])
    if text.isdecimal() and text.isascii() and 0 < len(text) < 10 and int(text):
        words = f"it holds {int(text):,} {'predictions' if int(text) > 1 else 'prediction'}"
        return Expected(Reading(text, count_values, words), int(text))
    if text.startswith("$"):
        return Expected(_at_path(text))
    raise InputError(
        f"--expect {text}: not known; expected one of {', '.join(READINGS)}, a number of predictions, "
        "or a JSONPath such as '$.choices[0].message'"
    )


def _at_path(text: str) -> Reading:
    path = JsonPath(text)

    def count(body: bytes, *, pause: Callable[[], None], **_: object) -> None:
        with parsed(body, pause) as value:
            if says_error(value):
                raise error_inside()
            if not path.finds(value, pause if len(body) > LARGE_BYTES else no_pause):
                raise NotPredictions(Outcome.NOT_PARSEABLE, f"nothing at {text}")

    return Reading(text, count, f"it holds something, and not null, at `{text}`", varies=True)
