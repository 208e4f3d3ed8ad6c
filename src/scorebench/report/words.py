"""How figures and foreign text are written in every report. Knows units; computes nothing."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scorebench.units import say_seconds

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate

NOT_MEASURED = "not measured"
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
"""Control sequences of a terminal: colours, cursor moves, titles."""
_COMMAND = re.compile(r"(?<!\S)::(?=[A-Za-z][\w-]*(?: .*)?::)")
"""The start of a workflow command at the beginning of a line: `::error title=…::`."""


def plain(text: str, width: int | None = None) -> str:
    """Text from a server or a file as one line without control characters, cut to `width` characters.

    What could move a terminal's cursor, turn the direction of writing or hide is left out. `##[` is parted,
    and so are the colons of `::error::`: GitHub's runner takes `##[error]` for a command anywhere in a line
    of a log, and `::error::` at its start.
    """
    text = _TERMINAL.sub("", str(text))
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(char for char in spaced if not unicodedata.category(char).startswith("C"))
    line = _COMMAND.sub(": :", " ".join(kept.split()).replace("##[", "## ["))
    return line if width is None or len(line) <= width else line[: max(width - 1, 0)] + "…"


def count(number: int, noun: str) -> str:
    """`1 call`, `4,898 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percentile_text(found: Estimate) -> str:
    """A percentile, or how many calls it needs."""
    return found.needs if found.value is None else say_seconds(found.value)


def say_moment(unix_s: object) -> str:
    """`2026-11-25 15:36:43 UTC`. Any other value is shown unchanged: a file may hold anything."""
    try:
        return f"{datetime.fromtimestamp(float(str(unix_s)), UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return str(unix_s)


def milliseconds(seconds: float | None) -> str:
    """In ms without the unit, for a column that names it; three decimals, as Locust's users read them."""
    if seconds is None:
        return "-"
    ms = seconds * 1e3
    return f"{ms:,.3f}" if ms < 10 else f"{ms:,.2f}" if ms < 100 else f"{ms:,.1f}"
