"""Exceptions that tasks raised, as Locust counts them, in words. Knows the form of Locust's counts alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_FRAME = re.compile(r'File "(.+)", line (\d+), in (.+)')
_MESSAGE = 200
"""Most letters of an exception's message that a finding shows."""


def raised(counted: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What each exception says, how often it was raised, and where: `boom (twice, mine.py:7, in score)`.

    `counted` are the values of Locust's `runner.exceptions`: `msg`, `count` and `traceback`.
    """
    for one in counted:
        times = "once" if one["count"] == 1 else f"{one['count']:,} times"
        what = one["msg"].strip() or "an exception without a message"
        yield f"{what[:_MESSAGE]} ({', '.join([times, *_place(one['traceback'])])})"


def _place(traceback: str) -> list[str]:
    """File, line and function of the innermost frame; nothing where the traceback has none."""
    frames = _FRAME.findall(traceback)
    if not frames:
        return []
    path, line, function = frames[-1]
    return [f"{Path(path).name}:{line}", f"in {function}"]
