"""What speaks for or against a measurement: one line, its weight, and what to try. Knows no run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`invalid` alone turns the verdict."""

    INVALID = "invalid"
    WARNING = "warning"
    NOTE = "note"


_ORDER = list(Severity)


@dataclass(frozen=True)
class Finding:
    """One line: what was found, with its figure; and what to try."""

    severity: Severity
    code: str
    text: str
    advice: str
    flatters: bool = False
    """True where the fault can only make the server look better than it is."""

    def __lt__(self, other: Finding) -> bool:
        """Gravest first."""
        return _ORDER.index(self.severity) < _ORDER.index(other.severity)
