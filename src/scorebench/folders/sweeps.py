"""A sweep's folder, read again. Knows its form; nothing of how it was made."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scorebench.errors import InputError
from scorebench.folders import reading
from scorebench.folders.names import SWEEP
from scorebench.report.forms.sweep import LargestForm, SweepCellForm, SweepForm
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import VARIED, Place
from scorebench.sweeps.largest import Largest, Of, Tried

WHAT, HINT = "what `scorebench sweep` left", "Give the folder that it named."


def read_sweep(path: Path) -> Sweep:
    """The sweep of sweep.json in `path`. InputError for whatever can't be read."""
    file = path / SWEEP
    form = reading.decoded(reading.content_of(file, WHAT, HINT), SweepForm, file, WHAT)
    if not reading.is_flat(form.environment, reading.DEEPEST) or form.ended not in list(Ended):
        raise InputError(f"{file}: is damaged. Expected {WHAT}, unchanged.")
    return Sweep(
        cells=tuple(_cell(cell) for cell in form.cells),
        ended=Ended(form.ended),
        repeats=form.repeats,
        took_s=form.took_s,
        folder=str(path),
        environment=form.environment,
        largest=tuple(_largest(one) for one in form.largest),
    )


def _largest(form: LargestForm) -> Largest:
    failed = None
    if form.failed_rows is not None:
        failed = Tried(form.failed_rows, form.failed_bytes or 0, form.why or "")
    return Largest(
        of=Of(form.server, form.flavor, form.workers, form.format),
        passed=Tried(form.passed_rows, form.passed_bytes),
        failed=failed,
        most_bytes=form.most_bytes,
        calls=form.calls,
    )


def _cell(form: SweepCellForm) -> SweepCell:
    place = Place(*(getattr(form, name) for name in VARIED))
    runs = []
    for run in form.runs:
        fields = msgspec.structs.asdict(run)
        del fields["ok"]  # it follows from the others
        runs.append(Ran(**fields))
    return SweepCell(place, tuple(runs))
