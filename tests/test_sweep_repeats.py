"""A cell whose measurement is not valid is measured once more. No process: the runs are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import scorebench
from scorebench.recordings.form import form_of
from scorebench.recordings.happenings import KILLED
from scorebench.report.data import dumped
from scorebench.runs import launch
from scorebench.runs.launch import Launch
from scorebench.sweeps.found import Sweep
from tests.recordings import START_S, calls, evenly, recording


def swept(folder: Path, monkeypatch: pytest.MonkeyPatch, bad: set[int]) -> tuple[Sweep, list[str]]:
    """A sweep over 1 and 2 users, in which the runs numbered `bad` are not valid; and the runs' folders."""
    folders: list[str] = []

    def run(wanted: Launch, *_: Any, **__: Any) -> int:
        made = recording(calls(evenly(2_000)), load_ended_s=START_S + 20)
        if len(folders) in bad:
            made.events.append({"t_s": START_S + 1, "what": KILLED, "why": "after 1 s"})
        folders.append(wanted.folder.name)
        (wanted.folder / "recording.json").write_text(dumped(form_of(made)))
        return 0

    monkeypatch.setattr(launch, "run", run)
    found = scorebench.sweep("http://127.0.0.1:1", users=[1, 2], repeats=1, quiet=True, report_dir=folder)
    return found, folders


def test_a_cell_that_is_not_valid_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, folders = swept(tmp_path, monkeypatch, {0})
    assert len(folders) == 3
    assert folders[2] == f"{folders[0]}-again"
    assert all(cell.good for cell in found.cells)


def test_a_cell_that_is_never_valid_is_left_after_its_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, folders = swept(tmp_path, monkeypatch, {0, 2})
    assert len(folders) == 3
    (bad,) = [cell for cell in found.cells if not cell.good]
    assert "the run was killed" in (bad.problem or "")


def test_valid_cells_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, folders = swept(tmp_path, monkeypatch, set())
    assert len(folders) == 2
