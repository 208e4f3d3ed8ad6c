"""`scorebench report`: a run again, from its folder alone. Wiring."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY, LATEST, PAGE
from scorebench.options.table import REPORT_DIR

Render = Callable[[str], str]


def add(commands: Any) -> None:
    report = commands.add_parser("report", help="print a run again from its folder")
    report.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=Path(REPORT_DIR) / LATEST,
        metavar="DIR",
        help="the run's folder",
    )
    report.add_argument("--format", default="text", help="text, json, csv, html, junit, github or markdown")
    report.add_argument(
        "--limit", action="append", metavar="LIMIT", help="judge by this limit instead; repeatable"
    )
    report.add_argument("--open", action="store_true", help=f"write {PAGE} again and open it in the browser")
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from scorebench import report

    if options.format not in report.FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(report.FORMATS)}")
    path = options.directory if options.directory.is_dir() else options.directory.parent
    is_search = options.directory.name == CAPACITY or (options.directory / CAPACITY).is_file()
    render = _searched(path) if is_search else _measured(options)
    if not options.open:
        print(render(options.format), end="")
        return 0
    from scorebench.folders import atomic

    atomic.write_text(path / PAGE, render("html"))
    import webbrowser

    webbrowser.open((path / PAGE).resolve().as_uri())
    print(path / PAGE)
    return 0


def _measured(options: argparse.Namespace) -> Render:
    """A run's reports, by their format."""
    from scorebench import report
    from scorebench.folders import folder
    from scorebench.folders.finished import finished

    done = finished(options.directory, options.limit or ())
    recording, summary, verdict = done.recording, done.summary, done.verdict
    steps = options.directory.resolve().parent
    if steps.name == "steps" and (steps.parent / CAPACITY).is_file():
        record, _ = folder.read_capacity(steps.parent)
        shown = partial(report.page.render, capacity=record)
        return lambda name: (shown if name == "html" else report.FORMATS[name])(recording, summary, verdict)
    return lambda name: report.FORMATS[name](recording, summary, verdict)


def _searched(path: Path) -> Render:
    """Those of a search for capacity, as far as there are any."""
    from scorebench.folders import folder
    from scorebench.report import capacity_page
    from scorebench.report.data import dumped

    record, said = folder.read_capacity(path)
    known: dict[str, Callable[[], str]] = {
        "text": lambda: said,
        "json": lambda: dumped(record, indent=2),
        "html": lambda: capacity_page.render(said, record),
    }

    def render(name: str) -> str:
        if name not in known:
            raise InputError(
                f"--format {name}: not available for a capacity search; expected one of {', '.join(known)}"
            )
        return known[name]()

    return render
