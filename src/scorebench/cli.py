"""The `scorebench` command: its verbs, and what becomes of an error. Knows no verb's work.

Light modules only at import: `scorebench --help` must come at once.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from scorebench import __version__
from scorebench.commands import capacity, compare, images, matrix, models, report, run, serve
from scorebench.errors import InputError
from scorebench.options.one_line import OneLine

COMMANDS = (run, capacity, matrix, compare, report, serve, models, images)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what it returns is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    options.words = words
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a character of a file's, or a "±" in ASCII
    try:
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
    parser = OneLine(
        prog="scorebench",
        description="Load-test MLflow scoring servers: how fast, how much, and can the figure be trusted.",
        epilog="exit codes: 0 valid and limits met; 1 calls failed; 2 wrong input, nothing was sent; "
        "3 a limit was missed; 4 the measurement is not valid",
    )
    parser.add_argument("--version", action="version", version=f"scorebench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
