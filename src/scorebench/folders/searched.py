"""A search for capacity, read again as a sweep over users. Knows the forms of both; nothing of plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scorebench.errors import InputError
from scorebench.figures.server_use import server_samples
from scorebench.folders import reading
from scorebench.folders.finished import Finished, finished, is_finished
from scorebench.folders.names import CAPACITY
from scorebench.report.forms.capacity import CapacityForm, StepForm
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell, ran
from scorebench.sweeps.grid import Place

WHAT, HINT = "what `scorebench capacity` left", "Give the folder that it named."


def read_search(path: Path) -> Sweep:
    """The closed loops of the search in `path`, a cell each. InputError for whatever can't be read.

    A loop with one user is short, and may have too few calls for a p99. The step with the least p99 stands
    for it then: a call alone takes no longer than a call that others wait beside.
    """
    file = path / CAPACITY
    form = reading.decoded(reading.content_of(file, WHAT, HINT), CapacityForm, file, WHAT)
    steps = [(step, finished(at)) for step in form.steps if is_finished(at := _place(path, step))]
    if not steps:
        raise InputError(f"{path}: found no step's recording under steps/. Expected {WHAT}, unchanged.")
    runs = [(step, done, _ran(step, done)) for step, done in steps]
    known = [run for _, _, run in runs if run.ok and run.p99_s is not None]
    fastest = min(known, key=lambda run: run.p99_s or 0.0, default=None)
    cells = tuple(
        SweepCell(_cell(step, done), (run if step.users > 1 else _with_p99(run, fastest),))
        for step, done, run in runs
        if step.rate_per_s is None
    )
    environment = dict(steps[0][1].recording.environment)
    return Sweep(cells, Ended.DONE, 1, sum(step.took_s for step in form.steps), str(path), environment)


def _place(path: Path, step: StepForm) -> Path:
    return path / _name(step)


def _name(step: StepForm) -> str:
    return f"steps/{step.number:02d}"


def _ran(step: StepForm, done: Finished) -> Ran:
    samples = server_samples(done.recording)
    return ran(done.summary, folder=_name(step), repeat=1, invalid=step.invalid, server=samples)


def _with_p99(run: Ran, fastest: Ran | None) -> Ran:
    if run.p99_s is not None or fastest is None:
        return run
    return replace(run, p99_s=fastest.p99_s, folder=fastest.folder)


def _cell(step: StepForm, done: Finished) -> Place:
    environment = done.recording.environment
    server, payload = environment.get("server") or {}, environment.get("payload") or {}
    return Place(
        server=str(server.get("kind") or environment.get("url") or "server"),
        flavor=None,
        workers=server.get("workers"),
        format=str(payload.get("format") or ""),
        rows_per_call=payload.get("rows_per_call") or 1,
        users=step.users,
    )
