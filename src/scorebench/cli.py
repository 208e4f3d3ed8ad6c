"""The `scorebench` command: its subcommands, and how errors end. Knows nothing of what they do.

Light modules only at import: `scorebench --help` must come at once.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module

from scorebench import __version__
from scorebench.errors import InputError

COMMANDS = (
    "run",
    "call",
    "capacity",
    "matrix",
    "versus",
    "compare",
    "report",
    "list",
    "merge",
    "serve",
    "models",
    "images",
)
"""Modules of `scorebench.commands`, in the order of the help; imported in `main`, where Ctrl-C is heard."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, or print the help where there is none; what it returns is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a character of a file's, or a "±" in ASCII
    try:
        options = parser().parse_args(words or ["--help"])
        options.words = words
        return int(options.run(options))
    except InputError as error:
        print(f"scorebench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from scorebench.servers.protocol import ServerFailed

        if not isinstance(error, ServerFailed):
            raise
        print(f"scorebench: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from scorebench.options.one_line import OneLine

    parser = OneLine(
        prog="scorebench",
        description="Load-test MLflow scoring servers: how fast, how much, and can the figure be trusted.",
        epilog="exit codes: 0 valid and limits met; 1 calls failed; 2 wrong input, nothing was sent; "
        "3 a limit was missed; 4 the measurement is not valid",
    )
    parser.add_argument("--version", action="version", version=f"scorebench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"scorebench.commands.{name}").add(commands)
    return parser
