"""A finished run: its folder, read and judged. Knows nothing of how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scorebench.figures.summary import Summary, summarise
from scorebench.folders import folder
from scorebench.folders.names import RECORDING
from scorebench.recordings.recording import Recording
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import Verdict, judge, limits_of


@dataclass(frozen=True)
class Finished:
    """A run that was read back and judged."""

    folder: Path
    recording: Recording
    summary: Summary
    verdict: Verdict


def finished(path: Path, limits: Sequence[str] = ()) -> Finished:
    """The run in `path`, a folder or its recording, judged by `limits`, else by its own.

    InputError where there is none, or where it can't be read.
    """
    recording = folder.read(path)
    summary = summarise(recording)
    asked = tuple(parse_limit(one) for text in limits for one in text.split(",")) or limits_of(recording)
    return Finished(path, recording, summary, judge(summary, recording, asked))


def is_finished(path: Path) -> bool:
    """Whether a run left its recording in this folder."""
    return (path / RECORDING).exists()
