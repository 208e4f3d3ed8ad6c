"""The one error that a user's mistake raises. Knows nothing of what was wrong; every module may raise it."""

from __future__ import annotations


class InputError(Exception):
    """Something the user gave cannot be used; raised before the first call is sent.

    The message is one line: the place, what was found, what was expected, what to do next.
    The commands print it to stderr and exit with 2.
    """
