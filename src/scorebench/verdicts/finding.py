"""A finding about a measurement: one line, its severity, and what to try. Knows no run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Only `invalid` makes the measurement not valid."""

    INVALID = "invalid"
    WARNING = "warning"
    NOTE = "note"


_ORDER = list(Severity)


@dataclass(frozen=True)
class Finding:
    """What was found, with its figure, in one line; and what to try."""

    severity: Severity
    code: str
    text: str
    advice: str
    flatters: bool = False
    """Whether the fault can only make the server look better than it is."""

    def __lt__(self, other: Finding) -> bool:
        """Gravest first."""
        return _ORDER.index(self.severity) < _ORDER.index(other.severity)
