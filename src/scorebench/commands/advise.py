"""`scorebench advise`: what to change, from a run or a sweep. Wiring."""

from __future__ import annotations

import argparse
from typing import Any

from scorebench.options.values import path_of


def add(commands: Any) -> None:
    parser = commands.add_parser("advise", help="say what to change, from the figures of a run or a sweep")
    parser.add_argument("directory", type=path_of, metavar="DIR", help="folder of a run or of a sweep")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_advise)


def _advise(options: argparse.Namespace) -> int:
    from scorebench.folders.advised import advised
    from scorebench.report import advice

    found = advised(options.directory)
    print((advice.render_json if options.json else advice.render)(found.advice, found.invalid), end="")
    return 0
