"""The `scorebench` command: its subcommands, and how errors end. Knows nothing of what they do.

Light modules only at import: `scorebench --help` must come at once.
"""

from __future__ import annotations

import argparse
import io
import os
import select
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from scorebench import __version__
from scorebench.errors import InputError
from scorebench.signals import sigterm_unwinds

COMMANDS = (
    "run",
    "call",
    "capacity",
    "sweep",
    "soak",
    "plan",
    "advise",
    "matrix",
    "versus",
    "compare",
    "report",
    "list",
    "merge",
    "serve",
    "models",
    "images",
    "completion",
)
"""Modules of `scorebench.commands`, in the order of the help; imported in `main`, where Ctrl-C is heard."""
MEASURING = ("run", "call", "capacity", "soak", "matrix", "versus", "serve")
"""Those that take their options from files and variables too."""
CLOSED = 141
"""The exit code where nobody read to the end: what a shell says of a program that SIGPIPE ended."""
SHARED = ("report-dir",)
"""What files and variables say for the other commands as well."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, or print the help where there is none; what it returns is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a character of a file's, or a "±" in ASCII
    origins: Mapping[str, str] = {}
    try:
        made = parser()
        words, origins = _with_settings(words, made)
        options = made.parse_args(words or ["--help"])
        options.words, options.origins, options.parser = words, origins, made
        if origins and not getattr(options, "quiet", False):
            print(f"scorebench: {_said_of(origins)}", file=sys.stderr)
        with sigterm_unwinds():
            code = int(options.run(options))
            sys.stdout.flush()
            return code
    except InputError as error:
        print(f"scorebench: {error}{_blamed(str(error), origins)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        return CLOSED
    except Exception as error:
        from scorebench.servers.protocol import ServerFailed

        if not isinstance(error, ServerFailed):
            raise
        print(f"scorebench: {error}", file=sys.stderr)
        return 1


def _nobody_reads() -> bool:
    """Whether the reader of our output has gone, as behind `| head`; the rest of it is dropped."""
    watched = select.poll()
    watched.register(sys.stdout, 0)
    if not watched.poll(0):  # it was another pipe that broke
        return False
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
    return True


def _with_settings(words: list[str], made: argparse.ArgumentParser) -> tuple[list[str], Mapping[str, str]]:
    """`words` with the options that files and variables set, and where each of these came from."""
    from scorebench.options.one_line import commands_of
    from scorebench.options.sources import Parsers, words_of

    of = commands_of(made)
    if not words or words[0] not in of or {"-h", "--help"} & {*words}:
        return words, {}
    found = words_of(words[1:], words[0], Parsers(of, MEASURING, SHARED), os.environ, Path())
    return [words[0], *found.words], found.origins


def _said_of(origins: Mapping[str, str]) -> str:
    """`from scorebench.toml: rate, users; from SCOREBENCH_SEED: seed`."""
    names: dict[str, list[str]] = {}
    for name, place in origins.items():
        names.setdefault(place, []).append(name)
    return "; ".join(f"from {place}: {', '.join(found)}" for place, found in names.items())


def _blamed(message: str, origins: Mapping[str, str]) -> str:
    """Where the option was set that an error begins with, if it was not typed."""
    name = message.partition(":")[0].partition(" ")[0].removeprefix("--")
    return f" (--{name} is set in {origins[name]})" if message.startswith("--") and name in origins else ""


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from scorebench.options.one_line import OneLine
    from scorebench.options.sources import add_config

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
    for name in MEASURING:
        add_config(commands.choices[name])
    return parser
