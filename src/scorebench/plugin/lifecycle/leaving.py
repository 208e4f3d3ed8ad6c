"""What a run leaves when it is over: its figures, its verdict, its folder, its report as text.

Knows where the folder comes from, and whether somebody reads colours; nothing of Locust.
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
from scorebench.folders import atomic, folder
from scorebench.folders.names import RECORDING
from scorebench.options.settings import Settings
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.report import text
from scorebench.runs.launch import FOLDER_VARIABLE
from scorebench.verdicts.verdict import Verdict, judge


class RunFolder:
    """Where a test leaves its report: the folder that a launcher gave, or a new one below --report-dir."""

    def __init__(self, settings: Settings, server_name: str) -> None:
        given = os.environ.get(FOLDER_VARIABLE)
        self._path = Path(given) if given else None
        self._settings, self._server_name = settings, server_name
        self.is_ours = not given
        """Whether nobody else makes `latest` lead to it."""

    def path(self) -> Path:
        """The folder, made when it is first asked for. InputError where it can't be."""
        if self._path is None:
            now = datetime.datetime.now()
            self._path = folder.create(self._settings.report_dir, self._server_name, now)
        return self._path


@dataclass(frozen=True)
class Left:
    """A run that is over; `report` is its text, with the folder named at its end."""

    summary: Summary
    verdict: Verdict
    folder: Path
    report: str
    unwritten: atomic.Unwritten
    """What could not be written, by its name, with why."""

    @property
    def loss(self) -> str | None:
        """One line on what could not be written."""
        return atomic.loss(_short(self.folder), self.unwritten)


def leave(
    recording: Recording, kept: Sequence[tuple[int, Calls]], settings: Settings, place: RunFolder
) -> Left:
    """Write the run's folder."""
    summary = summarise(recording)
    verdict = judge(summary, recording, settings.limits)
    said = _as_text(summary, verdict)
    try:
        path = place.path()
    except InputError as problem:  # it could be made before the run
        return Left(summary, verdict, settings.report_dir, said, {"the report": str(problem)})
    unwritten = folder.write(path, recording, summary, verdict)
    if kept:
        unwritten |= folder.write_calls(path, kept)
    if place.is_ours:
        folder.point_latest(path)
    if RECORDING not in unwritten:
        said += f"\n\nreport: {_short(path)}"
    return Left(summary, verdict, path, said, unwritten)


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
