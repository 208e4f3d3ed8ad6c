"""Two servers' predictions for the same bodies → the rows in which they differ. Pure; knows no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scorebench.answers.near import are_near

MOST_SHOWN = 5


@dataclass(frozen=True)
class Different:
    """A row that A and B predict differently; `body` and `row` count from 1."""

    body: int
    row: int
    a: Any
    b: Any


@dataclass(frozen=True)
class Alike:
    """What came of the comparison. `unread` are bodies that one side did not answer with predictions."""

    rows: int = 0
    differing: int = 0
    unread: int = 0
    examples: tuple[Different, ...] = ()
    problem: str = ""
    """Why the first unread body was not answered."""


def compare(bodies: Sequence[tuple[Sequence[Any], Sequence[Any]]], tolerance: float) -> Alike:
    """Row by row; for each body the predictions of A and of B. A row that one side lacks differs."""
    rows, differing = 0, 0
    examples: list[Different] = []
    for number, (a, b) in enumerate(bodies, 1):
        for row in range(max(len(a), len(b))):
            rows += 1
            left, right = _at(a, row), _at(b, row)
            if are_near(left, right, tolerance):
                continue
            differing += 1
            if len(examples) < MOST_SHOWN:
                examples.append(Different(number, row + 1, left, right))
    return Alike(rows, differing, 0, tuple(examples))


def _at(predictions: Sequence[Any], row: int) -> Any:
    return predictions[row] if row < len(predictions) else "(no prediction)"
