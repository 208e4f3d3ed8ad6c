"""A sweep's folder that is damaged, and its time. No process and no clock: runs and seconds are made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import scorebench
from scorebench.answers.outcome import Outcome
from scorebench.commands.sweep import exit_code
from scorebench.errors import InputError
from scorebench.recordings.form import form_of
from scorebench.report.data import dumped
from scorebench.runs import launch
from scorebench.runs import sweep as sweeping
from scorebench.runs.launch import Launch
from scorebench.sweeps.found import Ended, Sweep
from scorebench.sweeps.largest import Largest, Of, Tried
from tests import commands
from tests.recordings import START_S, calls, evenly, recording
from tests.scoring_server import scoring_server

RUN_S, START_TAKES_S, STOP_TAKES_S = 12.0, 100.0, 8.0


class Made:
    """Runs of 12 s, and servers that start in 100 s and stop in 8 s, by a clock that they move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.runs, self.searches = 0.0, 0, 0
        self.cut_search = False
        self.answered: Callable[[int], bool] = lambda _: True
        self.is_there = True
        monkeypatch.setattr(launch, "run", self._run)
        monkeypatch.setattr(sweeping, "running_server", self._server)
        monkeypatch.setattr(sweeping, "largest_body", self._largest)
        monkeypatch.setattr(sweeping, "silence", lambda *_: None if self.is_there else "nobody listens")
        monkeypatch.setattr(sweeping, "time", SimpleNamespace(monotonic=lambda: self.now_s))

    def _run(self, wanted: Launch, *_: Any, **__: Any) -> int:
        self.now_s += RUN_S
        self.runs += 1
        outcome = Outcome.VALID if self.answered(self.runs) else Outcome.CONNECTION_REFUSED
        made = recording(calls(evenly(2_000), outcome), load_ended_s=START_S + 20)
        (wanted.folder / "recording.json").write_text(dumped(form_of(made)))
        return 0

    @contextmanager
    def _server(self, *_: Any) -> Iterator[SimpleNamespace]:
        self.now_s += START_TAKES_S
        try:
            yield SimpleNamespace(endpoint="http://127.0.0.1:1", describe=lambda: None)
        finally:
            self.now_s += STOP_TAKES_S

    def _largest(self, _: Any, url: str, of: Of, most_bytes: int, on_tried: Callable[[Tried], None]) -> Any:
        self.searches += 1
        if self.cut_search:
            raise KeyboardInterrupt
        return Largest(of, Tried(1, 100), None, most_bytes, 1)


def swept(folder: Path, **options: Any) -> Sweep:
    """A sweep over 1 and 2 users, one run each."""
    given: dict[str, Any] = {"users": [1, 2], "repeats": 1, "report_dir": folder, **options}
    return scorebench.sweep(given.pop("target", "http://127.0.0.1:1"), **given)


def resumed(made: Sweep, tmp_path: Path, **options: Any) -> Sweep:
    return swept(tmp_path, resume=Path(made.folder), **options)


def test_a_cell_that_is_damaged_is_named_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording that was cut short: one line with its path; without it, that cell alone is measured."""
    runs = Made(monkeypatch)
    made = swept(tmp_path)
    recorded = Path(made.folder, "cells/001-1/recording.json")
    recorded.write_text(recorded.read_text()[:500])
    with pytest.raises(
        InputError, match=re.escape(str(recorded)) + ".*Remove it, and --resume measures again"
    ):
        resumed(made, tmp_path)
    recorded.unlink()
    assert resumed(made, tmp_path).measured == 2
    assert runs.runs == 3


@pytest.mark.parametrize(
    "put", [lambda path: path.write_text("x"), lambda path: path.symlink_to("/nowhere")], ids=["file", "link"]
)
def test_what_lies_in_the_place_of_a_cell_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], Any]
) -> None:
    """A file, or a link that leads nowhere, is no run: the cell is measured."""
    Made(monkeypatch)
    made = swept(tmp_path)
    cell = Path(made.folder, "cells/001-1")
    (cell / "recording.json").unlink()
    cell.rmdir()
    put(cell)
    assert resumed(made, tmp_path).measured == 2
    assert not cell.is_symlink()


def test_a_link_in_the_place_of_a_cell_loses_nothing_that_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Made(monkeypatch)
    made = swept(tmp_path)
    cell, elsewhere = Path(made.folder, "cells/001-1"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    (cell / "recording.json").unlink()
    cell.rmdir()
    cell.symlink_to(elsewhere)
    resumed(made, tmp_path)
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "{", "\udcff"])
def test_a_plan_that_can_not_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    Made(monkeypatch)
    (tmp_path / "plan.json").write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match=r"found no plan\.json of a sweep"):
        swept(tmp_path, resume=tmp_path)


def test_the_largest_body_is_looked_for_after_all_cells_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the search: no cell is left to measure, and `--resume` begins the search again, once."""
    runs = Made(monkeypatch)
    runs.cut_search = True
    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path, largest_body="1MB")
    (folder,) = (path for path in tmp_path.glob("*-sweep") if not path.is_symlink())
    runs.cut_search = False
    for _ in range(2):
        (found,) = swept(tmp_path, largest_body="1MB", resume=folder).largest
        assert found.passed == Tried(1, 100)
    assert (runs.runs, runs.searches) == (2, 2)


def test_the_time_left_counts_the_servers_that_are_still_to_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two servers, two cells each: 12 s a run, and 100 s for the second start; its stop comes after.

    After the first run: 3 x 12 + 100 = 136 s. After the third, 12 s: both servers were started.
    """
    Made(monkeypatch)
    swept(tmp_path, target="webserver", workers=[1, 2])
    said = re.findall(r"about (\S+ \S+) left", capsys.readouterr().err)
    assert said == ["136 s", "124 s", "12 s"]


def test_a_server_is_not_started_where_the_budget_has_no_time_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 + 2 x 12 + 8 = 132 s for the first server; the second needs 120 more: 251 s are too few."""
    runs = Made(monkeypatch)
    found = swept(tmp_path, target="webserver", workers=[1, 2], budget="251s")
    assert (found.ended, found.measured, runs.now_s) == (Ended.BUDGET, 2, 132.0)


def test_a_budget_holds_the_stop_of_a_server_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 252 s the second server starts; its second cell, which would end at 264 s, does not."""
    runs = Made(monkeypatch)
    found = swept(tmp_path, target="webserver", workers=[1, 2], budget="252s")
    assert (found.ended, found.measured, runs.now_s) == (Ended.BUDGET, 3, 252.0)


@pytest.mark.parametrize("other", [{"data": "payloads/wine.csv"}, {"warm_up": "3s"}, {"run_time": "9s"}])
def test_a_sweep_with_other_rows_or_times_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    """Its figures would stand beside those of another measurement; more time is no other sweep."""
    Made(monkeypatch)
    made = swept(tmp_path)
    with pytest.raises(InputError, match="was another sweep"):
        resumed(made, tmp_path, **other)
    assert resumed(made, tmp_path, budget="5m", quiet=True).measured == 2


MANY = {"users": [1, 2, 3, 4, 5, 6]}


def test_a_server_that_no_longer_answers_ends_the_sweep_after_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends before the third run: two more, one line, exit 1. Resumed, four are left."""
    runs = Made(monkeypatch)
    runs.answered, runs.is_there = lambda number: number <= 2, False
    made = swept(tmp_path, **MANY)
    assert (runs.runs, made.ended, made.measured) == (4, Ended.SILENT, 2)
    assert exit_code(made) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "cell http://127.0.0.1:1: no answer in 2 runs one after another (nobody listens); the sweep ends here"
    )
    runs.answered, runs.is_there = lambda _: True, True
    again = resumed(made, tmp_path, **MANY)
    assert (runs.runs, again.ended, again.measured) == (8, Ended.DONE, 6)


def test_errors_are_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that failed on a server that is there, such as for one format, say nothing of other cells.

    Such a run is not valid, and so each of six is tried twice.
    """
    runs = Made(monkeypatch)
    runs.answered = lambda _: False
    made = swept(tmp_path, **MANY)
    assert (runs.runs, made.ended) == (12, Ended.DONE)


def test_runs_without_an_answer_that_are_not_in_a_row_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that restarts: every other run. Of the three that failed, two do the second time."""
    runs = Made(monkeypatch)
    runs.answered, runs.is_there = lambda number: bool(number % 2), False
    made = swept(tmp_path, **MANY)
    assert (runs.runs, made.ended, made.measured) == (9, Ended.DONE, 5)


def test_a_server_of_ours_that_no_longer_answers_ends_its_own_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next server is another one: two runs on each of two."""
    runs = Made(monkeypatch)
    runs.answered, runs.is_there = lambda _: False, False
    made = swept(tmp_path, target="webserver", workers=[1, 2], **MANY)
    assert (runs.runs, made.ended) == (4, Ended.DONE)
    assert sum("no answer in 2 runs" in (cell.problem or "") for cell in made.cells) == 8


def test_a_server_that_is_not_there_ends_a_sweep_in_two_runs(tmp_path: Path) -> None:
    """As a user sees it; what the server refuses is told apart by a call to it."""
    with scoring_server() as server:
        gone = server.url
    done = commands.scorebench(tmp_path, "sweep", gone, "--users", "1,2,3", "-t", "3s", "--repeats", "1")
    assert done.code == 1
    assert done.err.splitlines()[-1].endswith("the server refused the connection); the sweep ends here")
    assert "the server no longer answered. The same command with --resume" in done.out
    assert done.out.count("not reached") == 1
    assert done.out.count("no answer: the server refused the connection") == 2
