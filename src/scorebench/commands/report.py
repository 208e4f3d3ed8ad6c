"""`scorebench report`: a run again, from its folder alone. Wiring."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.folders.names import (
    CAPACITY,
    LATEST,
    MATRIX_CSV,
    MATRIX_JSON,
    MATRIX_MARKDOWN,
    PAGE,
    SOAK_PLAN,
    SWEEP,
    VERSUS,
)
from scorebench.options.table import REPORT_DIR
from scorebench.options.values import path_of

Render = Callable[[str], str]


def add(commands: Any) -> None:
    report = commands.add_parser("report", help="print a run again from its folder")
    report.add_argument(
        "directory",
        type=path_of,
        nargs="?",
        default=Path(REPORT_DIR) / LATEST,
        metavar="DIR",
        help="the run's folder",
    )
    report.add_argument(
        "--format",
        default="text",
        help="text, json, csv, html, junit, github, markdown, bencher, smaller-is-better or bigger-is-better",
    )
    report.add_argument(
        "--limit", action="append", metavar="LIMIT", help="judge by this limit instead; repeatable"
    )
    report.add_argument("--open", action="store_true", help=f"write {PAGE} again and open it in the browser")
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from scorebench import report

    known = report.FORMATS | report.TRACKERS
    if options.format not in known:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(known)}")
    path = options.directory if options.directory.is_dir() else options.directory.parent
    render = _render_of(options, path)
    if not options.open:
        print(render(options.format), end="")
        return 0
    from scorebench.folders import atomic

    atomic.write_text(path / PAGE, render("html"))
    import webbrowser

    webbrowser.open((path / PAGE).resolve().as_uri())
    print(path / PAGE)
    return 0


def _render_of(options: argparse.Namespace, path: Path) -> Render:
    """What the folder holds decides: a search for capacity, a matrix, runs that were repeated, or a run."""
    from scorebench.folders import folder, run_sets

    name = options.directory.name
    for file, render in _LEFT.items():
        if (path / file).is_file() or name == file:
            return render(path)
    if folder.is_started(path) or not options.directory.is_dir():
        return _measured(options)
    return _repeated(run_sets.runs_in(path), options.limit or ())


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
    known = report.FORMATS | report.TRACKERS
    return lambda name: known[name](recording, summary, verdict)


def _searched(path: Path) -> Render:
    """Those of a search for capacity, as far as there are any."""
    from scorebench.folders import folder
    from scorebench.report import capacity_page
    from scorebench.report.data import dumped

    record, as_text = folder.read_capacity(path)
    return _one_of(
        "a capacity search",
        {
            "text": lambda: as_text,
            "json": lambda: dumped(record, indent=2),
            "html": lambda: capacity_page.render(as_text, record),
        },
    )


def _tabled(path: Path) -> Render:
    """A matrix, as it was left."""
    from scorebench.folders.folder import read_table

    files = {"text": MATRIX_MARKDOWN, "markdown": MATRIX_MARKDOWN, "csv": MATRIX_CSV, "json": MATRIX_JSON}
    return _one_of("a matrix", {name: partial(read_table, path / file) for name, file in files.items()})


def _soaked(path: Path) -> Render:
    """A soak, from its parts: as far as it came, and with what a killed one has left."""
    from scorebench.folders.soaks import read_soak
    from scorebench.report import soak, soak_page

    found = read_soak(path)
    forms = {"text": soak.render, "json": soak.render_json, "csv": soak.render_csv, "html": soak_page.render}
    return _one_of("a soak", {name: partial(form, found) for name, form in forms.items()})


def _swept(path: Path) -> Render:
    """A sweep, as far as it came."""
    from scorebench.folders.sweeps import read_sweep
    from scorebench.report import sweep, sweep_page

    found = read_sweep(path)
    forms = {
        "text": sweep.render,
        "json": sweep.render_json,
        "csv": sweep.render_csv,
        "html": sweep_page.render,
    }
    return _one_of("a sweep", {name: partial(form, found) for name, form in forms.items()})


def _repeated(paths: Sequence[Path], limits: Sequence[str]) -> Render:
    """Runs that lie in one folder, as `run --repeat` leaves them."""
    from scorebench.folders.finished import finished
    from scorebench.report import junit, repeats

    runs = [finished(path, limits) for path in paths]
    named = [(run.folder.name, run.summary, run.verdict) for run in runs]
    return _one_of(
        "several runs; give the folder of one",
        {
            "text": lambda: repeats.render([run.summary for run in runs], [run.verdict for run in runs]),
            "junit": lambda: junit.render_all(named),
        },
    )


def _opposed(path: Path) -> Render:
    """What `scorebench versus` left."""
    from scorebench.folders.opposed import read_versus
    from scorebench.report import versus

    found = read_versus(path)
    forms = {"text": versus.render, "json": versus.render_json}
    return _one_of("versus", {name: partial(form, found) for name, form in forms.items()})


def _one_of(what: str, known: Mapping[str, Callable[[], str]]) -> Render:
    def render(name: str) -> str:
        if name not in known:
            raise InputError(f"--format {name}: not available for {what}; expected one of {', '.join(known)}")
        return known[name]()

    return render


_LEFT = {CAPACITY: _searched, MATRIX_JSON: _tabled, VERSUS: _opposed, SOAK_PLAN: _soaked, SWEEP: _swept}
"""The file by which a folder of many runs is known, and what shows it."""
