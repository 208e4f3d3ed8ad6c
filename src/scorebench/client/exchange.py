"""One call with its answer, kept whole. Knows what was sent and what came; sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome


@dataclass(frozen=True)
class OneCall:
    """What was sent, without the values of headers that may be secrets, and what came of it."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    outcome: Outcome
    took_s: float
    valid_if: str
    answer: Answer | None = None
    answered: bytes = b""
    """The answer's body without secrets."""
    problem: str = ""
    """Why there is no answer, or why it is not valid, where the outcome does not say all."""
