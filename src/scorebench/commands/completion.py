"""`scorebench completion`: what a shell needs to complete our commands and options. Wiring of shtab."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = ("bash", "zsh", "fish")
FILES = ("PATH", "FILE")
FOLDERS = ("DIR", "RUNS", "RUN")
"""Metavars of values that are paths, or folders."""


def add(commands: Any) -> None:
    parser = commands.add_parser("completion", help="print the completion script of your shell")
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    import shtab

    from scorebench.options.one_line import commands_of

    parser = options.parser
    for command in commands_of(parser).values():
        for action in command._actions:
            if action.metavar in (*FILES, *FOLDERS):
                action.complete = (  # type: ignore[attr-defined]  # shtab's own attribute
                    shtab.FILE if action.metavar in FILES else shtab.DIRECTORY
                )
    print(shtab.complete(parser, shell=options.shell))
    return 0
