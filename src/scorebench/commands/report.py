"""`scorebench report`: a run again, from its folder alone. Wiring."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.folder_names import LATEST, PAGE
from scorebench.options import REPORT_DIR


def add(commands: Any) -> None:
    report = commands.add_parser("report", help="print a run again, from its folder alone")
    report.add_argument("directory", type=Path, nargs="?", default=Path(REPORT_DIR) / LATEST)
    report.add_argument("--format", default="text", help="text, json, csv, html, junit, github or markdown")
    report.add_argument("--limit", action="append", metavar="LIMIT", help="judge by these limits")
    report.add_argument("--open", action="store_true", help=f"make {PAGE} anew, and show it in the browser")
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from scorebench import folder, limits, report
    from scorebench.summary import summarise
    from scorebench.verdict import judge, limits_of

    if options.format not in report.FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(report.FORMATS)}")
    recording = folder.read(options.directory)
    summary = summarise(recording)
    asked = [limits.parse_limit(text) for text in options.limit or ()]
    verdict = judge(summary, recording, asked or limits_of(recording))
    if options.open:
        page = (options.directory if options.directory.is_dir() else options.directory.parent) / PAGE
        folder.write_text(page, report.FORMATS["html"](recording, summary, verdict))
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
        print(page)
        return 0
    print(report.FORMATS[options.format](recording, summary, verdict), end="")
    return 0
