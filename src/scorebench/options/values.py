"""How the value of an option is read: text or number → what a setting holds. Knows types; no option by name.

Each function takes the option's flag, for the error, and its value: as the command line parsed it, or as
Locust's page left it. None means that the option was not given. Everything wrong is an InputError.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from scorebench.errors import InputError

T = TypeVar("T")
Read = Callable[[str, Any], T]
_SHOWN_CHARACTERS = 80


def given(_flag: str, value: Any) -> Any:
    """The value as it is."""
    return value


def flag_set(_flag: str, value: Any) -> bool:
    """A switch: set or not by the command line, `true` or `false` as text by Locust's page."""
    return value == "true" if isinstance(value, str) else bool(value)


def path(flag: str, value: Any) -> Path | None:
    """A path, as `path_of`."""
    return None if value is None else path_of(value, flag)


def path_of(text: str | Path, flag: str = "") -> Path:
    """The path that a user named. It need not exist: who reads it says what it expects there.

    InputError where nobody can even look: the name is too long, or a folder on the way may not be entered.
    Before Python 3.14 `Path.exists` and its like raise there.
    """
    found = Path(text)
    try:
        found.stat()
    except (FileNotFoundError, NotADirectoryError):
        return found
    except (OSError, ValueError) as problem:  # ValueError: a zero byte in it
        why = getattr(problem, "strerror", None) or str(problem)
        shown = str(text) if len(str(text)) <= _SHOWN_CHARACTERS else f"{str(text)[:_SHOWN_CHARACTERS]}…"
        step = "check its permissions and those of the folders above it"
        if getattr(problem, "errno", None) != errno.EACCES:
            step = "if this is the text itself, put the text into a file and give its path"
        raise InputError(f"{f'{flag} {shown}'.strip()}: can't be looked at ({why}); {step}") from None
    return found


def whole(flag: str, value: Any) -> int:
    """A whole number of at least 1."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise InputError(f"{flag} {value}: expected a whole number of at least 1")
    return number


def whole_or_none(flag: str, value: Any) -> int | None:
    return None if value is None else whole(flag, value)


def mebibytes(flag: str, value: Any) -> int:
    """A whole number of MiB, as bytes."""
    return whole(flag, value) * 2**20


def seconds(flag: str, value: Any) -> float:
    """A number of seconds above 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise InputError(f"{flag} {value}: expected a number of seconds above 0")
    return number


def texts(_flag: str, value: Any) -> tuple[str, ...]:
    """Several texts: a list from the command line, one text with commas from Locust's page."""
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())


def each(parse: Callable[[str], T]) -> Read[tuple[T, ...]]:
    """Several texts, each of which may hold several with commas between; `parse` reads one."""

    def read(flag: str, value: Any) -> tuple[T, ...]:
        return tuple(parse(part) for text in texts(flag, value) for part in texts(flag, text))

    return read
