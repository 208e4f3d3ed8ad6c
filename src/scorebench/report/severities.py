"""How each severity of a finding is shown, one record each. Knows words and colours; no finding."""

from __future__ import annotations

from dataclasses import dataclass

from scorebench.verdicts.finding import Severity

RED, GREEN, YELLOW, BOLD = 31, 32, 33, 1
"""ANSI colours of a terminal."""


@dataclass(frozen=True)
class Shown:
    """`word` is printed before the finding; `kind` is a class of the page's style sheet."""

    word: str
    kind: str
    github: str
    """The level of GitHub's annotation."""
    colour: int | None

    @property
    def heading(self) -> str:
        """`Not valid:`."""
        return f"{self.word.capitalize()}:"


SHOWN = {
    Severity.INVALID: Shown("not valid", "bad", "error", RED),
    Severity.WARNING: Shown("warning", "warn", "warning", YELLOW),
    Severity.NOTE: Shown("note", "plain", "notice", None),
}
