"""Recordings of one load from several workers, made into one: every call once, and no other load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scorebench.errors import InputError
from scorebench.folders.merging import merged
from scorebench.recordings.form import form_of
from scorebench.report.data import dumped
from tests.recordings import START_S, calls, evenly, recording

LOAD: dict[str, Any] = {"url": "http://127.0.0.1:1", "payload": {"digest": "abc"}, "started_s": START_S}


def left(folder: Path, name: str, count: int, worker: int = 0, **told: Any) -> Path:
    """A folder with a recording of that many calls by one user of that worker."""
    made = recording(calls(evenly(count)), **{**LOAD, **told})
    made.rename_users(worker)
    path = folder / name
    path.mkdir()
    (path / "recording.json").write_text(dumped(form_of(made)))
    return path


def test_every_worker_is_counted_once(tmp_path: Path) -> None:
    """20, 30 and 40 calls of three workers, of which two have the same number: 90 calls by three users.

    The time of the whole is from the first start to the last end.
    """
    paths = [
        left(tmp_path, "a", 20, worker=1, started_s=START_S + 1, stopped_s=START_S + 5),
        left(tmp_path, "b", 30, worker=1, started_s=START_S, stopped_s=START_S + 9),
        left(tmp_path, "c", 40, worker=0, started_s=START_S + 2, stopped_s=START_S + 7),
    ]
    whole = merged(paths)
    assert whole.measured.calls == 90
    assert sorted(user.calls for user in whole.measured.users.values()) == [20, 30, 40]
    assert len({worker for worker, _ in whole.measured.users}) == 3
    assert (whole.environment["started_s"], whole.environment["stopped_s"]) == (START_S, START_S + 9)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"payload": {"digest": "def"}}, "its payload is def, that of"),
        ({"url": "http://127.0.0.1:2"}, "its url is http://127.0.0.1:2, that of"),
        ({"arrivals": "poisson"}, "its arrivals is poisson, that of"),
    ],
)
def test_another_load_is_refused(tmp_path: Path, told: dict[str, Any], says: str) -> None:
    """Other rows, another server, another schedule: no figure would mean anything."""
    paths = [left(tmp_path, "a", 20), left(tmp_path, "b", 20, **told)]
    with pytest.raises(InputError, match=says):
        merged(paths)


def test_a_folder_given_twice_is_refused(tmp_path: Path) -> None:
    """By another name too: its calls would count twice."""
    path = left(tmp_path, "a", 20)
    (tmp_path / "again").symlink_to(path)
    with pytest.raises(InputError, match="given twice"):
        merged([path, tmp_path / "again"])
