"""`scorebench soak`: hours at one load, and whether anything rises. Wiring."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from scorebench.runs import arguments


def add(commands: Any) -> None:
    from scorebench.runs.soak import DEFAULT_PART

    parser = commands.add_parser("soak", help="hold a load for hours: leaks, trends, restarts and stalls")
    arguments.add_target(parser)
    parser.add_argument(
        "--part",
        default=DEFAULT_PART,
        metavar="TIME",
        help=f"length of each run; the load pauses for seconds in between (default: {DEFAULT_PART})",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with the soak in this folder; give the same words"
    )
    arguments.add_load(parser)
    arguments.add_options(parser)
    arguments.add_server(parser)
    arguments.add_place(parser)
    parser.set_defaults(run=_soak)


def _soak(options: argparse.Namespace) -> int:
    from scorebench.report import soak as report
    from scorebench.runs.soak import Refused, Soaking, exit_code, leave

    wanted = Soaking.of(options)
    quiet = wanted.request.settings.quiet
    wanted.request.warn()
    with wanted.folder() as path:
        try:
            soak = wanted.measure(path, (lambda _: None) if quiet else _say)
        except Refused:
            return 2
        if not quiet:
            print(report.render(soak), end="", flush=True)
        if line := leave(soak, path):
            print(f"scorebench: {line}", file=sys.stderr)
    if not quiet:
        print(f"\nreport: {path}")
    return exit_code(soak) or int(bool(line))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
