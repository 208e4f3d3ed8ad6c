"""An argument parser with errors of one line and defaults in its help. Knows argparse; no option of ours."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn


class Defaults(argparse.HelpFormatter):
    """Adds `(default: VALUE)` to an option that has one, unless its text already does."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        unset = action.default in (None, False, argparse.SUPPRESS) or action.default == []
        return text if unset or "(default: " in text else f"{text} (default: %(default)s)"


class OneLine(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to look; argparse prints the whole usage before it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Defaults} | options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")
