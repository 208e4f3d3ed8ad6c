"""A run's folder: what is written there, and a recording read back. Knows files; not what figures mean.

A reader finds each file whole, or none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.folders import atomic, reading
from scorebench.folders.journal import read_journal
from scorebench.folders.names import (
    CALLS,
    CAPACITY,
    CAPACITY_TEXT,
    JOURNAL,
    PAGE,
    RECORDING,
    REQUESTS,
    SECONDS,
    SUMMARY,
    USERS,
)
from scorebench.recordings.calls import Calls
from scorebench.recordings.form import form_of
from scorebench.recordings.recording import Recording
from scorebench.report import data, page
from scorebench.report.forms.capacity import CapacityForm

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict


_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
"""What a terminal would obey."""


def write(path: Path, recording: Recording, summary: Summary, verdict: Verdict) -> atomic.Unwritten:
    """Write the run to `path`, the recording first; returns the files that could not be written, by name.

    A folder that is gone is made again.
    """
    return atomic.write_what_fits(path, _files(recording, summary, verdict))


def _files(
    recording: Recording, summary: Summary, verdict: Verdict
) -> Iterator[tuple[str, Callable[[], str]]]:
    yield RECORDING, lambda: data.dumped(form_of(recording))
    yield SUMMARY, lambda: data.render_json(summary, verdict)
    yield USERS, lambda: data.users_csv(summary)
    if summary.requests:
        yield REQUESTS, lambda: data.requests_csv(summary)
    yield SECONDS, lambda: data.seconds_csv(recording)
    beside = [RECORDING, SUMMARY, USERS, *([REQUESTS] if summary.requests else []), SECONDS]
    yield PAGE, lambda: page.render(recording, summary, verdict, files=beside)


def write_calls(path: Path, kept: Sequence[tuple[int, Calls]]) -> atomic.Unwritten:
    """calls.parquet: every call with its worker; times are Unix seconds, the outcome by its label."""
    import pandas as pd

    frames = [pd.DataFrame({"worker": worker} | calls.columns()) for worker, calls in kept]
    table = pd.concat(frames, ignore_index=True)
    table["outcome"] = [Outcome(code).label for code in table["outcome"].tolist()]
    try:
        with atomic.writing(path / CALLS) as file:
            table.to_parquet(file, index=False)
    except OSError as problem:
        return {CALLS: problem.strerror or str(problem)}
    return {}


def read(path: Path) -> Recording:
    """The recording in a run's folder, or in the file itself. InputError if it can't be read."""
    if path.name == JOURNAL or (is_started(path) and not (path / RECORDING).exists()):
        return read_journal(path if path.name == JOURNAL else path / JOURNAL)
    return reading.read_recording(path / RECORDING if path.is_dir() else path)


def is_started(path: Path) -> bool:
    """Whether a run wrote down anything in this folder: its recording, or a journal until it was killed."""
    return (path / RECORDING).exists() or (path / JOURNAL).exists()


def read_capacity(path: Path) -> tuple[dict[str, Any], str]:
    """(capacity.json, capacity.txt) of a search for capacity. InputError for whatever can't be read."""
    what = "what `scorebench capacity` left"
    hint = "Give the folder that it named."
    file = path / CAPACITY
    as_text = reading.content_of(path / CAPACITY_TEXT, what, hint).decode("utf-8", "replace")
    form = reading.decoded(reading.content_of(file, what, hint), CapacityForm, file, what)
    if not reading.is_flat(form.environment, reading.DEEPEST):
        raise InputError(
            f"{file}: is damaged: $.environment: found lists within lists. Expected {what}, unchanged."
        )
    return msgspec.to_builtins(form), as_text


def read_table(file: Path) -> str:
    """A file that `scorebench matrix` or `versus` left, as text. InputError where it can't be read."""
    content = reading.content_of(file, "what a command left", "Give the folder that it named.")
    lines = content.decode("utf-8", "replace").splitlines()
    return "".join(f"{re.sub(_CONTROL, '', line)}\n" for line in lines)
