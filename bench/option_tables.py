"""Every command, its options and every metric as Markdown: `docs/options.md` is pasted from it.

It reads the parser and the table of metrics themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from scorebench.cli import parser
from scorebench.figures import metrics

NO_DEFAULT: tuple[object, ...] = (None, False, [], argparse.SUPPRESS)


def tables() -> str:
    """A heading and a table for each command that takes options, and one of the metrics."""
    return "\n\n".join([*_command_tables(), metrics_table()])


def metrics_table() -> str:
    """What a limit can name, with its units."""
    rows = [
        f"| `{entry.words}` | {', '.join(entry.unit.factors)} | {entry.says} |" for entry in metrics.TABLE
    ]
    return "\n".join(["## Metrics", "", "| metric | units | what |", "| --- | --- | --- |", *rows])


def _command_tables() -> list[str]:
    return [
        "\n".join([f"## `{command.prog}`", "", "| option | default | what |", "| --- | --- | --- |", *rows])
        for command in commands(parser())
        if (rows := [row(command, action) for action in options_of(command)])
    ]


def commands(parent: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers below `parent`, depth first."""
    for action in parent._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield child
                yield from commands(child)


def options_of(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """What may be typed behind a command, but for --help and further commands."""
    passed_over = (argparse._HelpAction, argparse._SubParsersAction, argparse._VersionAction)
    return [action for action in command._actions if not isinstance(action, passed_over)]


def row(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    """One option's line."""
    value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 and action.option_strings else ""
    name = (
        ", ".join(action.option_strings) + value if action.option_strings else action.metavar or action.dest
    )
    default = "" if action.default in NO_DEFAULT else f"`{action.default}`"
    return f"| `{name}` | {default} | {_text(command, action).replace('|', chr(92) + '|')} |"


def _text(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The help as argparse prints it: `%%` is a percent sign."""
    return argparse.HelpFormatter(command.prog)._expand_help(action) if action.help else ""


if __name__ == "__main__":
    print(tables())
