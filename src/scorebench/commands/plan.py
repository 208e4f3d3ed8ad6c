"""`scorebench plan`: how many workers a rate needs, from a sweep. Wiring."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorebench.errors import InputError

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
DEFAULT_LIMIT = "p99<200ms"


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "plan", help="say how many workers a rate needs, from a sweep over users and workers"
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder of a sweep")
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
    from scorebench.folders.sweeps import read_sweep
    from scorebench.plans.plan import plan
    from scorebench.report.plan import render
    from scorebench.units import parse_number
    from scorebench.verdicts.limits import parse_limit

    rate_per_s = parse_number(options.wanted.removesuffix("/s"), "--for", "calls a second, such as 500/s")
    limit = parse_limit(options.limit)
    if limit.metric not in QUANTILES or not limit.op.startswith("<"):
        raise InputError(
            f"--limit {options.limit}: expected {', '.join(QUANTILES)} below a time, such as p99<200ms"
        )
    found = plan(read_sweep(options.directory), rate_per_s, QUANTILES[limit.metric], limit.bound)
    print(render(found, options.limit), end="")
    return 0 if found.workers is not None else 3
