"""`scorebench soak`: hours at one load, and whether anything rises. Wiring."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from scorebench.runs import arguments

if TYPE_CHECKING:
    from scorebench.runs.soak import Soaking


def add(commands: Any) -> None:
    from scorebench.runs import soak_options

    parser = commands.add_parser("soak", help="hold a load for hours: leaks, trends, restarts and stalls")
    arguments.add_target(parser)
    soak_options.add(parser)
    parser.set_defaults(run=_soak)


def _soak(options: argparse.Namespace) -> int:
    from scorebench.runs.soak import Refused, Soaking

    wanted = Soaking.of(options)
    quiet = wanted.request.settings.quiet
    wanted.request.warn()
    try:
        return _measure(wanted, quiet=quiet)
    except Refused:
        return 2


def _measure(wanted: Soaking, *, quiet: bool) -> int:
    from scorebench.report import soak as report
    from scorebench.runs.soak import exit_code, leave

    with wanted.folder() as path:
        soak = wanted.measure(path, (lambda _: None) if quiet else _say)
        if not quiet:
            print(report.render(soak), end="", flush=True)
        if line := leave(soak, path):
            print(f"scorebench: {line}", file=sys.stderr)
    if not quiet:
        print(f"\nreport: {path}")
    return exit_code(soak) or int(bool(line))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
