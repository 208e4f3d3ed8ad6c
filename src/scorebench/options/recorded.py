"""The command line as a recording may hold it: without secrets. Knows parsers; runs nothing.

A report is passed on to others. So it shows the values of Locust's options and of ours, and of a locustfile's
own options only numbers and the like: only its author knows which of the rest is a secret.
"""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from collections.abc import Iterable

from scorebench.client.hiding import HIDDEN_IN_URL as HIDDEN
from scorebench.client.hiding import in_urls

SAFE = re.compile(r"[-+]?[\d.]+(%|ms|s|m|h|d|kB|MB)?|true|false|yes|no|on|off", re.IGNORECASE)
"""Values that are no secret, whatever their option is: numbers, sizes, times and switches."""
FREE_TEXT = {"config_users"}
"""Options of Locust's that may hold anything that a locustfile takes."""


def told(words: Iterable[str], parser: ArgumentParser, known: Iterable[str]) -> str:
    """`words` in one line; `known` are the destinations of the options whose values may be shown."""
    shown: list[str] = []
    shows = set(known) - FREE_TEXT
    action: Action | None = None
    for word in words:
        if word.startswith("-") and not SAFE.fullmatch(word):
            action, name, value = _option(parser, word)
            shown.append(name if value is None else name + _shown(action, value, shows))
            if value is not None or (action is not None and action.nargs == 0):
                action = None
        elif action is not None:
            shown.append(_shown(action, word, shows))
            action = None if action.nargs is None else action
        else:
            shown.append(without_secrets(word))
    return " ".join(shown)


def without_secrets(text: str) -> str:
    """A URL without what signs somebody in: user, password, and the values of its query."""
    if "://" not in text:
        return re.sub(r"^[^/@\s]*:[^/@\s]*@", f"{HIDDEN}@", text)
    return in_urls(text)


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
    return without_secrets(value) if action.dest in shows or SAFE.fullmatch(value) else HIDDEN
