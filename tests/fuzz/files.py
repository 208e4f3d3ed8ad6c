"""Files of any bytes, and the readers that take them. Knows a scratch folder; one process, one folder."""

from __future__ import annotations

import contextlib
import io
import shlex
import tempfile
from argparse import Namespace
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from scorebench.errors import InputError
from scorebench.folders.finished import finished
from scorebench.folders.journal import read_journal
from scorebench.folders.names import RECORDING
from scorebench.load.trace import read_trace
from scorebench.options.one_line import OneLine
from scorebench.options.settings import from_namespace
from scorebench.payloads import json_lines as lines
from scorebench.payloads.rows import read_rows
from scorebench.report import page, text
from scorebench.runs import arguments

URL = "http://127.0.0.1:5001"
NOW_S = 1_700_000_000.0
"""When the reports of `corpora` came."""
_folder = Path(tempfile.mkdtemp(prefix="scorebench-fuzz-"))


class Broken(AssertionError):
    """A promise that these bytes break."""


def read(reader: Callable[[Path], None], content: bytes) -> None:
    """`reader` takes a file of `content`, or refuses it in one line."""
    file = _folder / "input"
    file.write_bytes(content)
    try:
        reader(file)
    except InputError as error:
        if len(str(error).splitlines()) != 1:
            raise Broken(f"an error of several lines, or of none: {str(error)!r}") from error


def trace(file: Path) -> None:
    """Due times that begin at 0 and never go back."""
    due_s = read_trace(file).due_s
    if due_s[0] != 0 or not np.isfinite(due_s).all() or not pd.Series(due_s).is_monotonic_increasing:
        raise Broken(f"times that are not in order: {due_s[:10]}")


def csv_rows(file: Path) -> None:
    """CSV, as `--data` takes it."""
    _rows(_named(file, ".csv"))


def json_rows(file: Path) -> None:
    """JSON in any of the bodies that MLflow takes."""
    _rows(_named(file, ".json"))


def json_lines(file: Path) -> None:
    """A row a line; and the same lines as bodies."""
    file = _named(file, ".jsonl")
    _rows(file)
    for _ in lines.read(file):
        pass


def parquet_rows(file: Path) -> None:
    """Parquet, as `--data` takes it."""
    _rows(_named(file, ".parquet"))


def _named(file: Path, suffix: str) -> Path:
    return file.rename(file.with_suffix(suffix))


def _rows(file: Path) -> None:
    if not len(read_rows(file)):
        raise Broken("a frame without rows")


def recording(file: Path) -> None:
    """A recording that is read can be judged, and shown as text and as a page."""
    run = finished(file.rename(file.with_name(RECORDING)))
    text.render(run.summary, run.verdict)
    page.render(run.recording, run.summary, run.verdict)


def journal(file: Path) -> None:
    """What a killed run wrote down."""
    read_journal(file)


@cache
def _parser() -> OneLine:
    parser = OneLine(prog="scorebench")
    arguments.add_all(parser)
    return parser


def configuration(file: Path) -> None:
    """The words of a command: settings, or one line on stderr and exit code 2."""
    try:
        words = shlex.split(file.read_text(errors="replace").replace("\x00", ""))
    except ValueError:  # an open quote, which no shell hands on
        return
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            options: Namespace = _parser().parse_args(words)
    except SystemExit as end:
        if end.code not in (0, 2) or (end.code == 2 and len(said.getvalue().splitlines()) != 1):
            raise Broken(f"exit {end.code}, and: {said.getvalue()!r}") from end
        return
    from_namespace(options, URL)


def report(file: Path) -> None:
    """What a worker sends its master: it counts, beside a report that is as it should be, or is refused."""
    from scorebench.cluster.reports import BadReport, read_report
    from scorebench.figures.summary import summarise
    from scorebench.recordings.recording import Recording

    try:
        _, counted, _ = read_report(file.read_bytes(), 1, NOW_S)
    except BadReport as bad:
        raise InputError(str(bad)) from bad
    made = Recording()
    made.merge(counted)
    made.merge(counted)
    summarise(made)
