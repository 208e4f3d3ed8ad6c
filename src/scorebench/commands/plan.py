"""`scorebench plan`: how many workers a rate needs, from a sweep. Wiring."""

from __future__ import annotations

import argparse
from typing import Any

from scorebench.folders.planned import DEFAULT_LIMIT, QUANTILES
from scorebench.options.values import path_of


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "plan", help="say how many workers a rate needs, from a sweep over users and workers, or `capacity`"
    )
    parser.add_argument("directory", type=path_of, metavar="DIR", help="folder of a sweep, or of capacity")
    parser.add_argument(
        "--for", dest="wanted", required=True, metavar="RATE", help="calls a second, such as 500/s"
    )
    parser.add_argument(
        "--limit",
        default=DEFAULT_LIMIT,
        metavar="LIMIT",
        help=f"what to keep: {', '.join(QUANTILES)} below a time",
    )
    parser.set_defaults(run=_plan)


def _plan(options: argparse.Namespace) -> int:
    from scorebench.folders.planned import planned
    from scorebench.report.plan import render

    found = planned(options.directory, options.wanted, options.limit)
    print(render(found, options.limit), end="")
    return 0 if found.workers is not None else 3
