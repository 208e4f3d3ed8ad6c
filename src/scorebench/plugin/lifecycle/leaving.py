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

from scorebench.figures.summary import Summary, summarise
from scorebench.folders import folder
from scorebench.options.settings import Settings
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.report import text
from scorebench.runs.launch import FOLDER_VARIABLE
from scorebench.verdicts.verdict import Verdict, judge


@dataclass(frozen=True)
class Left:
    """A run that is over; `report` is its text, with the folder named at its end."""

    summary: Summary
    verdict: Verdict
    folder: Path
    report: str


def leave(
    recording: Recording, kept: Sequence[tuple[int, Calls]], settings: Settings, server_name: str
) -> Left:
    """Write the run's folder: the one that a launcher gave, or a new one below `settings.report_dir`."""
    summary = summarise(recording)
    verdict = judge(summary, recording, settings.limits)
    given = os.environ.get(FOLDER_VARIABLE)
    path = Path(given) if given else folder.create(settings.report_dir, server_name, datetime.datetime.now())
    folder.write(path, recording, summary, verdict)
    if kept:
        folder.write_calls(path, kept)
    if not given:
        folder.point_latest(path)
    return Left(summary, verdict, path, f"{_as_text(summary, verdict)}\n\nreport: {_short(path)}")


def _as_text(summary: Summary, verdict: Verdict) -> str:
    shown = text.render(summary, verdict, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    return shown.rstrip()


def _short(path: Path) -> Path:
    """As seen from here, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
