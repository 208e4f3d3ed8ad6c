"""What makes the body of a 200 valid: one record for each kind of answer. Knows bodies; no HTTP, no time.

A payload names the kind of answer that it expects (`Payload.answers`). To add a kind, add a record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scorebench.answers.predictions import count_predictions


class Count(Protocol):
    """How many units (rows) a body answers; raises NotPredictions, which names the outcome.

    `nulls`: whether a unit may be null. `pause` lets others go first, between the slices of a large body.
    """

    def __call__(self, body: bytes, *, nulls: bool, pause: Callable[[], None]) -> int: ...


@dataclass(frozen=True)
class Reading:
    """One kind of answer. `words` complete the sentence "a 200 is valid if …"."""

    name: str
    count: Count
    words: str


PREDICTIONS = Reading("predictions", count_predictions, "it holds one prediction per row")
READINGS: dict[str, Reading] = {reading.name: reading for reading in (PREDICTIONS,)}
