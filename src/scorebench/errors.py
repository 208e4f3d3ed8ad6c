"""The one error that a user's mistake raises. Knows nothing of what was wrong; every module may raise it."""

from __future__ import annotations


class InputError(Exception):
    """Something the user gave cannot be used; raised before the first call is sent.

    The message is one line: the place, what was found, what was expected, what to do next. What it quotes may
    come from anywhere, so a line break or a terminal's command in it is shown as an escape such as `\\x1b`.
    The commands print it to stderr and exit with 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))


def in_one_line(text: str) -> str:
    """The text, with Python's escape for each character that prints nothing or moves what is printed."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
