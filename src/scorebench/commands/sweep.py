"""`scorebench sweep`: every combination of rows, formats, users, workers, models and servers. Wiring."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.runs import arguments

if TYPE_CHECKING:
    from scorebench.sweeps.found import Sweep


def add(commands: Any) -> None:
    from scorebench.runs import sweep_options

    parser = commands.add_parser(
        "sweep",
        help="measure every combination of rows per call, formats, users, workers, models and servers",
    )
    arguments.add_target(parser)
    sweep_options.add(parser)
    parser.set_defaults(run=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    from scorebench.runs.request import check_rows, command_of
    from scorebench.runs.sweep import Sweeping
    from scorebench.runs.sweep_files import sweep_folder
    from scorebench.runs.sweep_options import wanted

    command = command_of(options.words)
    asked = wanted(options, command)
    check_rows({(one.settings.format, one.settings.model): one for one in asked.requests.values()}.values())
    with sweep_folder(asked, command) as path:
        found = Sweeping(asked, path, (lambda _: None) if asked.quiet else _say).measure()
        is_lost = _leave(found, path, quiet=asked.quiet)
    if not asked.quiet:
        print(f"\nreport: {path}")
    return exit_code(found, is_lost=is_lost)


def exit_code(found: Sweep, *, is_lost: bool = False) -> int:
    """0: there are figures; 1: nothing is answered, or a file is lost; 4: no run is valid; 130: stopped."""
    from scorebench.sweeps.found import Ended

    if found.ended is Ended.STOPPED:
        return 130
    if found.ended is Ended.SILENT:
        return 1
    if found.measured and not is_lost:
        return 0
    return 4 if any(run.valid for cell in found.cells for run in cell.runs) and not is_lost else 1


def _say(line: str) -> None:
    print(f"cell {line}", file=sys.stderr, flush=True)


def _leave(found: Sweep, path: Path, *, quiet: bool) -> bool:
    """Print the table; whether one of its files could not be written."""
    from scorebench.report import sweep
    from scorebench.runs.sweep_files import leave

    if not quiet:
        print(sweep.render(found), end="", flush=True)
    if line := leave(found, path):
        print(f"scorebench: {line}", file=sys.stderr)
    return bool(line)
