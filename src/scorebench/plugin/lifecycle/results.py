"""The results of a test: its figures, its verdict, its folder, its report as text.

Knows where the folder comes from, and whether a terminal shows colours; nothing of Locust.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scorebench.errors import InputError
from scorebench.figures.summary import Summary, summarise
from scorebench.folders import atomic, folder, making
from scorebench.folders.names import RECORDING
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.report import text
from scorebench.report.words import plain
from scorebench.runs.launch import FOLDER_VARIABLE
from scorebench.verdicts import rejected
from scorebench.verdicts.verdict import Verdict, judge


class RunFolder:
    """Where a test writes its report: the folder that a launcher gave, or a new one below --report-dir."""

    def __init__(self, settings: Settings, server_name: str, part: str = "") -> None:
        """`part` names a folder in that of the launcher."""
        given = os.environ.get(FOLDER_VARIABLE)
        self._path = Path(given, part) if given else None
        self._settings, self._server_name = settings, server_name
        self.is_ours = not given
        """Whether we make `latest` lead to it; a launcher does that for its own."""

    def path(self) -> Path:
        """The folder, made when it is first asked for. InputError if it can't be made."""
        if self._path is None:
            now = datetime.datetime.now()
            self._path = making.create(self._settings.report_dir, self._server_name, now)
        return self._path


@dataclass(frozen=True)
class Results:
    """A test that is over; `report` is its text, with the folder named at its end."""

    summary: Summary
    verdict: Verdict
    folder: Path
    report: str
    unwritten: atomic.Unwritten
    """The files that could not be written, each with the reason."""

    @property
    def rejected(self) -> str | None:
        """One line where the server rejected every call, with what to give instead."""
        found = [one for one in self.verdict.findings if one.code == rejected.CODE]
        return f"{plain(found[0].text)}. Try: {plain(found[0].advice)}." if found else None

    @property
    def loss(self) -> str | None:
        """One line on what could not be written."""
        return atomic.loss(_short(self.folder), self.unwritten)


class Reporter:
    """Writes and prints the results of the test that runs, or of the last one."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._settings: Settings | None = None
        self._place: RunFolder | None = None
        self.results: Results | None = None
        """None until the test is over."""

    def begin(self, settings: Settings, server_name: str) -> RunFolder:
        """A test begins; where its results will go."""
        self._settings, self.results = settings, None
        self._place = RunFolder(settings, server_name)
        return self._place

    def write(self, kept: Sequence[tuple[int, Calls]] = ()) -> None:
        """Write the folder, or write it again with what came later; `kept` are the calls of --keep-calls."""
        assert self._settings is not None
        assert self._place is not None
        self.results = write_results(self._gathered.recording, kept, self._settings, self._place)
        self._gathered.reported(in_a_recording=RECORDING not in self.results.unwritten)

    def print(self, *, quiet: bool) -> None:
        """Print the report, unless `quiet`, and what could not be written."""
        if self.results is None:
            return
        if not quiet:
            print(self.results.report, flush=True)
        elif advice := self.results.rejected:
            print(f"scorebench: {advice}", file=sys.stderr, flush=True)
        if self.results.loss:
            print(f"scorebench: {self.results.loss}", file=sys.stderr, flush=True)


def write_results(
    recording: Recording, kept: Sequence[tuple[int, Calls]], settings: Settings, place: RunFolder
) -> Results:
    summary = summarise(recording)
    verdict = judge(summary, recording, settings.limits)
    report = _as_text(summary, verdict)
    try:
        path = place.path()
    except InputError as problem:  # it could be made before the run
        return Results(summary, verdict, settings.report_dir, report, {"the report": str(problem)})
    unwritten = folder.write(path, recording, summary, verdict)
    if kept:
        unwritten |= folder.write_calls(path, kept)
    if place.is_ours:
        making.point_latest(path)
    if RECORDING not in unwritten:
        report += f"\n\nreport: {_short(path)}"
    return Results(summary, verdict, path, report, unwritten)


def _as_text(summary: Summary, verdict: Verdict) -> str:
    shown = text.render(summary, verdict, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    return shown.rstrip()


def _short(path: Path) -> Path:
    """As seen from here, where it lies below."""
    try:
        here = Path.cwd()
    except OSError:  # it is gone
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path
