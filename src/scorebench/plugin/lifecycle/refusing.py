"""How a process ends that can't run its test: one line and an exit code. Knows stderr; nothing of the run."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from scorebench.errors import InputError
from scorebench.plugin.lifecycle import command_line
from scorebench.verdicts.verdict import ExitCode

WRONG_INPUT = 2


def refuse(error: InputError, options: Any = None) -> NoReturn:
    """What was asked for can't be done: exit 2, past Locust's own handlers."""
    _leave(command_line.as_typed(options, str(error)), WRONG_INPUT)


def abandon(why: str) -> NoReturn:
    """The generator can't send, and has sent nothing: nothing was measured."""
    _leave(why, int(ExitCode.NOT_VALID))


def _leave(line: str, code: int) -> NoReturn:
    print(f"scorebench: {line}", file=sys.stderr, flush=True)
    sys.exit(code)
