"""The command line as a recording may hold it: without secrets. Knows parsers; runs nothing.

A report is passed on to others. So it shows the values of Locust's options and of ours, and of a locustfile's
own options only numbers and the like: only its author knows which of the rest is a secret.
"""

from __future__ import annotations

import re
import shlex
from argparse import Action, ArgumentParser
from collections.abc import Iterable

from scorebench.client.hiding import HIDDEN_IN_URL as HIDDEN
from scorebench.client.hiding import in_urls
from scorebench.options.names import PREFIX
from scorebench.options.table import OPTIONS

SAFE = re.compile(r"[-+]?[\d.]+(%|ms|s|m|h|d|kB|MB)?|true|false|yes|no|on|off", re.IGNORECASE)
"""Values that are no secret, whatever their option is: numbers, sizes, times and switches."""
FREE_TEXT = {"config_users"}
"""Options of Locust's that may hold anything that a locustfile takes."""
HIDES = {name for option in OPTIONS if option.hides for name in (option.name, PREFIX + option.name)}
"""Destinations of our options of whose value only the beginning, until its colon, is shown."""


def shown(words: Iterable[str]) -> str:
    """Words of our own command, as a shell takes them, without secrets."""
    flags = {option.flag for option in OPTIONS if option.hides}
    words_shown, before = [], ""
    for word in words:
        name, equals, value = word.partition("=")
        if before in flags:
            words_shown.append(_until_its_colon(word))
        else:
            words_shown.append(f"{name}={_until_its_colon(value)}" if equals and name in flags else word)
        before = word
    return in_urls(shlex.join(words_shown))


def _until_its_colon(text: str) -> str:
    name, colon, _ = text.partition(":")
    return f"{name}: {HIDDEN}" if colon else HIDDEN


def as_recorded(words: Iterable[str], parser: ArgumentParser, known: Iterable[str]) -> str:
    """`words` in one line; `known` are the destinations of the options whose values may be shown."""
    safe: list[str] = []
    shows = set(known) - FREE_TEXT
    action: Action | None = None
    for word in words:
        if word.startswith("-") and not SAFE.fullmatch(word):
            action, name, value = _option(parser, word)
            safe.append(name if value is None else name + _shown(action, value, shows))
            if value is not None or (action is not None and action.nargs == 0):
                action = None
        elif action is not None:
            safe.append(_shown(action, word, shows))
            action = None if action.nargs is None else action
        else:
            safe.append(in_urls(word))
    return " ".join(safe)


def _option(parser: ArgumentParser, word: str) -> tuple[Action | None, str, str | None]:
    """(the option, its name with the sign before its value, that value) of a word that begins with -.

    An option that the parser does not know has no value to be shown.
    """
    name, equals, value = word.partition("=")
    if not word.startswith("--") and len(name) > 2:  # -u5, -Hhttp://…
        name, equals, value = word[:2], "", word[2:]
        return _called(parser, name), name, value
    return _called(parser, name), name + equals, value if equals else None


def _called(parser: ArgumentParser, name: str) -> Action | None:
    """The option of that name, or the only one whose name begins so."""
    names = parser._option_string_actions
    found = [names[name]] if name in names else [names[full] for full in names if full.startswith(name)]
    return found[0] if found else None


def _shown(action: Action | None, value: str, shows: set[str]) -> str:
    if action is None or getattr(action, "is_secret", False):
        return HIDDEN
    if action.dest in HIDES:
        return _until_its_colon(value)
    return in_urls(value) if action.dest in shows or SAFE.fullmatch(value) else HIDDEN
