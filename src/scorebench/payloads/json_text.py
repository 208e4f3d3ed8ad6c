"""JSON text and values, both ways, as strict readers take it. Knows JSON; nothing of rows."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from scorebench.errors import InputError

dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Compact JSON in ASCII; ValueError for NaN and infinity, which JSON does not have."""


def parse_json(text: bytes, place: str, *, is_line: bool = False, keys_once: bool = False) -> Any:
    """The value of JSON text. InputError, which begins with `place`, for anything else, bare NaN too.

    `is_line`: the text is a line of a file, which `place` names. `keys_once`: an object that has a key twice
    is an error, since one of the two values would be lost. It makes reading slower by half.
    """

    def refuse(constant: str) -> NoReturn:
        raise InputError(f"{place}: found a bare {constant}, which is not JSON; write null")

    def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{place}: found key {twice!r:.60} twice in one object; keep one")
        return found

    hook = each_once if keys_once else None
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=refuse, object_pairs_hook=hook)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place}: found bytes that are not UTF-8 (at {error.start}); save it as UTF-8"
        ) from None
    except RecursionError:
        raise InputError(f"{place}: found JSON nested too deep to be rows; correct the file") from None
    except json.JSONDecodeError as error:
        line = "" if is_line else f"line {error.lineno}, "
        raise InputError(
            f"{place}: found no JSON ({line}column {error.colno}: {error.msg}); correct it"
        ) from None
    except ValueError:  # Python's guard against whole numbers that take long to read
        raise InputError(
            f"{place}: found a whole number of more than {sys.get_int_max_str_digits():,} digits; shorten it"
        ) from None
