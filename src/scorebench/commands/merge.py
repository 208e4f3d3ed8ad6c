"""`scorebench merge`: one run of the recordings that its workers left. Wiring."""

from __future__ import annotations

import argparse
from typing import Any

from scorebench.options.table import REPORT_DIR
from scorebench.options.values import path_of


def add(commands: Any) -> None:
    merge = commands.add_parser("merge", help="make one run of the recordings that its workers left")
    merge.add_argument("paths", nargs="+", type=path_of, metavar="DIR", help="a worker's folder")
    merge.add_argument(
        "--report-dir",
        type=path_of,
        default=REPORT_DIR,
        metavar="DIR",
        help=f"where to create the run's folder (default: {REPORT_DIR})",
    )
    merge.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from scorebench import report
    from scorebench.figures.summary import summarise
    from scorebench.folders import folder
    from scorebench.folders.fresh import run_folder
    from scorebench.folders.merging import merged
    from scorebench.verdicts.verdict import judge, limits_of

    recording = merged(options.paths)
    summary = summarise(recording)
    verdict = judge(summary, recording, limits_of(recording))
    with run_folder(options.report_dir, "merged") as path:
        unwritten = folder.write(path, recording, summary, verdict)
    print(report.FORMATS["text"](recording, summary, verdict).rstrip())
    print(f"\nreport: {path}")
    return int(verdict.exit_code) or int(bool(unwritten))
