"""A recorded command → the same with other options. Knows how a shell splits words; no option's meaning.

An option that is there is replaced: a second one beside it would be two wishes.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

SHORT = {"--run-time": "-t", "--users": "-u", "--spawn-rate": "-r"}
REPEATED = {"--server-env"}
"""Options that may come more than once, each with a thing of its own: another one is added."""
OURS = "scorebench "
COMMENT = "  # "
"""Begins what Python's calls say after their command."""


def changed(command: str, options: Mapping[str, str], without: Collection[str] = ()) -> str:
    """`command` with these options at its end, and without their former values and the options `without`."""
    head, mark, comment = command.partition(COMMENT)
    words = _words(head)
    left = _without(words, {*options, *without} - REPEATED)
    added = [word for flag, value in options.items() for word in (flag, value)]
    # Locust's command was recorded as it was typed, so it is not quoted again.
    joined = shlex.join([*left, *added]) if head.startswith(OURS) else " ".join([*left, *added])
    return joined + mark + comment


def value_of(command: str, flag: str) -> str | None:
    """What the last option of that name says; None where there is none."""
    found = None
    words = _words(command.partition(COMMENT)[0])
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word in _names(flag):
            found = after
        elif (value := _joined(word, flag)) is not None:
            found = value
    return found


def _words(head: str) -> list[str]:
    if not head.startswith(OURS):
        return head.split(" ")
    try:
        return shlex.split(head)
    except ValueError:  # a recording from elsewhere may hold anything
        return head.split(" ")


def _without(words: list[str], flags: Collection[str]) -> list[str]:
    left, is_value = [], False
    for word in words:
        if is_value:
            is_value = False
        elif any(word in _names(flag) for flag in flags):
            is_value = True
        elif all(_joined(word, flag) is None for flag in flags):
            left.append(word)
    return left


def _names(flag: str) -> tuple[str, ...]:
    return (flag, SHORT[flag]) if flag in SHORT else (flag,)


def _joined(word: str, flag: str) -> str | None:
    """The value in `--flag=value` or `-fvalue`."""
    if word.startswith(f"{flag}="):
        return word[len(flag) + 1 :]
    short = SHORT.get(flag)
    return word[2:] if short and word.startswith(short) and len(word) > 2 else None
