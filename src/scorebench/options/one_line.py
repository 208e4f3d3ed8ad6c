"""An argument parser with errors of one line and defaults in its help. Knows argparse, no option's use."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from scorebench.errors import in_one_line
from scorebench.options.other_words import ours

_OURS = (
    (r"argument (\S+): invalid int value: '(.*)'", "{0} {1}: expected a whole number"),
    (r"argument (\S+): invalid float value: '(.*)'", "{0} {1}: expected a number"),
    (r"argument (\S+): expected one argument", "{0}: expected a value after it"),
    (r"argument (\S+): ignored explicit argument '(.*)'", "{0}: takes no value; found {1}"),
    (r"the following arguments are required: (.*)", "{0}: missing"),
)
"""argparse's messages, and how we say them: place, found, expected."""


class Defaults(argparse.HelpFormatter):
    """Adds `(default: VALUE)` to an option that has one, unless its text already does."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        unset = action.default in (None, False, argparse.SUPPRESS) or action.default == []
        return text if unset or "(default: " in text else f"{text} (default: %(default)s)"


class OneLine(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to look; argparse prints the whole usage before it.

    An option is taken by its whole name alone: the start of one could be another's tomorrow.
    """

    def __init__(self, **options: Any) -> None:
        ours: dict[str, Any] = {"formatter_class": Defaults, "allow_abbrev": False}
        super().__init__(**ours | options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, in_one_line(f"{self.prog}: {in_our_words(message)}; see {self.prog} --help") + "\n")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse here what is unknown: here it is known which command it was given to."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._not_known(unknown[0]))
        return parsed, unknown

    def _not_known(self, word: str) -> str:
        name = word.partition("=")[0]
        if not name.startswith("-"):
            return f"{word}: not expected here"
        return f"{name}: no such option{did_you_mean(name, self._option_string_actions)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        expected = f"expected one of {', '.join(known)}"
        if isinstance(action, argparse._SubParsersAction):
            message = f"{value}: no such command{did_you_mean(value, known) or f'; {expected}'}"
        else:
            name = action.option_strings[-1] if action.option_strings else action.metavar
            message = f"{name} {value}: {expected}"
        raise argparse.ArgumentError(None, message)


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands below `parser`, by name."""
    found = (one.choices for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return dict(next(found, {}))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean --users?`, or nothing where no known name is like it."""
    names = list(known)
    near = ours(word, names) or get_close_matches(word, names, n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def in_our_words(message: str) -> str:
    """argparse's `message` in the form of all our errors; as it is where it is none that we know."""
    for pattern, words in _OURS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            name, *rest = found.groups()
            return words.format(name.split("/")[-1], *rest)
    return message.removeprefix("argument ")
