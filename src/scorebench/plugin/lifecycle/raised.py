"""The exceptions that tasks raised, as Locust counted them → a line each. Knows Locust's runner alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.env import Environment

_RAISED = re.compile(r'File "(.+)", line (\d+), in (.+)')
_MESSAGE = 200
"""Most letters of an exception's message that a finding shows."""


def raised_in(environment: Environment) -> Iterator[str]:
    """How often, what, and where."""
    runner = environment.runner
    for raised in runner.exceptions.values() if runner else ():
        path, line, function = _RAISED.findall(raised["traceback"])[-1]
        times = "once" if raised["count"] == 1 else f"{raised['count']:,} times"
        what = raised["msg"].strip() or "an exception without a message"
        yield f"{what[:_MESSAGE]} ({times}, {Path(path).name}:{line}, in {function})"
