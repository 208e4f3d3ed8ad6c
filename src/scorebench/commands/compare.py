"""`scorebench compare`: what changed between sets of runs, and is it real. Wiring."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.options.values import path_of

FORMATS = ("text", "markdown", "html", "json")


def add(commands: Any) -> None:
    parser = commands.add_parser("compare", help="compare sets of runs, and tell real changes from noise")
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUNS",
        help="run folders, or NAME=DIR,DIR for a set; the first is the baseline",
    )
    parser.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="CHANGE",
        help="fail on this change, such as 'p99 +10%% and +2ms'; repeatable",
    )
    parser.add_argument("--anyway", action="store_true", help="compare runs even if they sent different data")
    parser.add_argument("--format", default="text", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--output", type=path_of, metavar="FILE", help="write to FILE instead of stdout")
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    from scorebench.folders import run_sets
    from scorebench.folders.compared import compared

    if options.format not in FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(FORMATS)}")
    found = compared(run_sets.sets_of(options.runs), options.fail_if, anyway=options.anyway)
    text = _renderer(options.format)(found.comparisons, found.warnings)
    if options.output is None:
        print(text, end="")
    else:
        _write(options.output, text)
    return found.exit_code


def _renderer(format: str) -> Callable[..., str]:
    from scorebench.report import compare, compare_page

    return {
        "text": compare.render,
        "markdown": compare.render_markdown,
        "html": compare_page.render,
        "json": compare.render_json,
    }[format]


def _write(path: Path, text: str) -> None:
    from scorebench.folders import atomic

    try:
        atomic.write_text(path, text)
    except OSError as problem:
        raise InputError(f"--output {path}: {problem.strerror}; name another file") from None
