"""`scorebench compare`: what changed between sets of runs, and is it real. Wiring."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError

if TYPE_CHECKING:
    from scorebench.comparison.compare import RunSet

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
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE instead of stdout")
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    from scorebench.comparison import compare
    from scorebench.folders import run_sets
    from scorebench.folders.finished import finished
    from scorebench.verdicts.limits import parse_threshold

    if options.format not in FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(FORMATS)}")
    thresholds = [parse_threshold(text) for text in options.fail_if]
    sets, warnings = [], []
    for name, paths in run_sets.sets_of(options.runs).items():
        runs = [finished(path) for path in paths]
        sets.append(compare.RunSet(name, tuple(run.summary for run in runs)))
        warnings += [f"{run.folder}: the measurement is not valid" for run in runs if not run.verdict.valid]
    warnings += _differences(sets, anyway=options.anyway)
    comparisons = [compare.compare(sets[0], after, thresholds) for after in sets[1:]]
    text = _renderer(options.format)(comparisons, warnings)
    if options.output is None:
        print(text, end="")
    else:
        _write(options.output, text)
    gates = [gate.failed for one in comparisons for gate in one.gates]
    return 3 if True in gates else 4 if None in gates else 0


def _differences(sets: list[RunSet], *, anyway: bool) -> list[str]:
    from scorebench.comparison.conditions import mismatches
    from scorebench.report.words import plain

    found = mismatches([run for one in sets for run in one.runs])
    if found and not anyway:
        raise InputError(
            f"compare: these runs differ in {plain('; '.join(found))}: they can't be compared. "
            "Measure both alike, or add --anyway."
        )
    return [f"the runs differ in {one}" for one in found]


def _renderer(format: str) -> Callable[[Any, list[str]], str]:
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
