"""`scorebench list`: the runs under reports/, newest first, and a way to delete old ones. Wiring."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.options.table import REPORT_DIR
from scorebench.options.values import path_of

if TYPE_CHECKING:
    from scorebench.folders.shelf import Shelved

FORMATS = ("text", "json")


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "list", help="show the runs under reports/, newest first, or delete old ones"
    )
    parser.add_argument(
        "runs", nargs="*", type=path_of, metavar="RUN", help="with --delete: a run's folder, or its name"
    )
    parser.add_argument(
        "--report-dir", type=path_of, default=Path(REPORT_DIR), metavar="DIR", help="where the runs are"
    )
    parser.add_argument("--format", default="text", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument(
        "--delete", action="store_true", help="delete the RUNs, or what --keep and --older-than choose"
    )
    parser.add_argument("--keep", type=int, metavar="N", help="with --delete: all but the newest N")
    parser.add_argument(
        "--older-than", metavar="TIME", help="with --delete: what is older than this, such as 30d or 12h"
    )
    parser.add_argument(
        "--yes", action="store_true", help="with --delete: do it; without it, only say what would go"
    )
    parser.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    from scorebench.folders import shelf

    if options.format not in FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(FORMATS)}")
    found = shelf.shelved(options.report_dir)
    if options.delete:
        return _delete(options, found)
    if options.runs:
        raise InputError(
            f"{options.runs[0]}: only --delete takes runs; to list another folder, give --report-dir DIR"
        )
    for flag, given in (
        ("--keep", options.keep),
        ("--older-than", options.older_than),
        ("--yes", options.yes),
    ):
        if given not in (None, False):
            raise InputError(f"{flag}: needs --delete; add it, or leave {flag} out")
    print(_shown(found, options.format), end="")
    return 0


def _delete(options: argparse.Namespace, found: list[Shelved]) -> int:
    from datetime import datetime, timedelta

    from scorebench.folders import shelf
    from scorebench.units import parse_seconds

    if not options.runs and options.keep is None and options.older_than is None:
        raise InputError("--delete: of what? Name the runs, or give --keep N or --older-than TIME")
    if options.keep is not None and options.keep < 0:
        raise InputError(f"--keep {options.keep}: expected 0 or more")
    chosen = shelf.to_delete(
        found,
        names=options.runs,
        keep=options.keep,
        older_than=None
        if options.older_than is None
        else timedelta(seconds=parse_seconds(options.older_than, "--older-than")),
        now=datetime.now(),
    )
    if not options.yes:
        print(_shown(chosen, options.format), end="")
        print(f"scorebench: {len(chosen)} would be deleted; add --yes to do it", file=sys.stderr)
        return 0
    for one in shelf.delete(chosen):
        print(one.folder)
    return 0


def _shown(runs: list[Shelved], format: str) -> str:
    from scorebench.report import shelf

    rows = [asdict(one) | {"folder": str(one.folder)} for one in runs]
    return (shelf.render_json if format == "json" else shelf.render)(rows)
