"""`scorebench models make`: a demo model in a folder. Wiring."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from scorebench.models.flavors import FLAVORS
from scorebench.options.values import path_of


def add(commands: Any) -> None:
    models = commands.add_parser("models", help="make a demo model")
    verbs = models.add_subparsers(metavar="VERB", required=True)
    make = verbs.add_parser("make", help="write a demo model into a folder")
    make.add_argument("flavor", choices=tuple(FLAVORS), metavar="FLAVOR", help=", ".join(FLAVORS))
    make.add_argument("directory", type=path_of, metavar="DIR", help="folder to create")
    make.set_defaults(run=_make)


def _make(options: argparse.Namespace) -> int:
    print(f"making the {options.flavor} demo model in {options.directory}", file=sys.stderr, flush=True)
    FLAVORS[options.flavor].make(options.directory)
    print(options.directory)
    return 0
