"""`scorebench list`: what lies under reports/, and what goes from there."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from tests.commands import Done, here
from tests.test_compare import left

NOON = datetime(2026, 1, 2, 12).timestamp()
DAY_S = 86_400


def aged(path: Path, days: float) -> None:
    """As if the run had been left `days` before noon of a day in January."""
    for file in (path, *path.rglob("*")):
        os.utime(file, (NOON - days * DAY_S,) * 2)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Three runs, the newest last by name and by time; a set of two; a matrix; and a folder of somebody's."""
    reports = tmp_path / "reports"
    for days, name in ((3, "a"), (2, "b"), (1, "c")):
        left(reports / name, 0.010, url="http://here:5001")
        aged(reports / name, days)
    for number in (1, 2):
        left(reports / "set" / f"run-{number}", 0.010)
    aged(reports / "set", 4)
    (reports / "table").mkdir()
    (reports / "table" / "matrix.json").write_text("{}")
    (reports / "table" / "matrix.md").write_text("| Server |\n")
    aged(reports / "table", 5)
    (reports / "mine").mkdir()
    (reports / "mine" / "letter.txt").write_text("dear reader")
    (reports / "latest").symlink_to("c")
    return tmp_path


def listed(done: Done) -> list[str]:
    assert done.code == 0, done.err
    return [Path(one["folder"]).name for one in json.loads(done.out)]


def test_runs_and_sets_newest_first(shelf: Path) -> None:
    """Neither the link nor what no run left; a thousand calls of 10 ms have a p99 of 10 ms."""
    assert listed(here(shelf, "list", "--format", "json")) == ["c", "b", "a", "set", "table"]
    shown = here(shelf, "list").out.splitlines()
    assert shown[0].split() == ["Folder", "when", "what", "verdicts", "rate", "p99"]
    assert shown[1].split()[0] == "reports/c"
    assert "2026-01-01 12:00:00 UTC" in shown[1] or "2026-01-01" in shown[1]  # in the machine's own zone
    assert "http://here:5001" in shown[1]
    assert shown[1].endswith("10 ms")
    assert "2 runs" in shown[4]
    assert "matrix, 0 runs" in shown[5]


def test_nothing_goes_without_yes(shelf: Path) -> None:
    """What would go is shown, and stays."""
    done = here(shelf, "list", "--delete", "--keep", "1")
    assert "4 would be deleted; add --yes" in done.err
    assert listed(here(shelf, "list", "--format", "json")) == ["c", "b", "a", "set", "table"]


@pytest.mark.parametrize(
    ("words", "stay"),
    [
        (["a", "reports/b"], ["c", "set", "table"]),
        (["latest"], ["b", "a", "set", "table"]),
        (["--keep", "2"], ["c", "b"]),
        (["--keep", "0"], []),
        (["--older-than", "1d"], []),  # all are from January
        (["--keep", "4", "--older-than", "1h"], ["c", "b", "a", "set"]),
    ],
)
def test_what_was_chosen_goes(shelf: Path, words: list[str], stay: list[str]) -> None:
    """Named by path, by name or as latest; or beyond the newest N; or too old. A stranger's folder stays."""
    assert here(shelf, "list", "--delete", *words, "--yes").code == 0
    assert listed(here(shelf, "list", "--format", "json")) == stay
    assert (shelf / "reports" / "mine" / "letter.txt").exists()
    assert (shelf / "reports" / "latest").is_symlink() == ("c" in stay)


def test_a_folder_that_holds_something_else_too_stays(shelf: Path) -> None:
    """Runs in it do not make it ours; nothing at all is deleted."""
    (shelf / "reports" / "set" / "thesis.tex").write_text("years of work")
    done = here(shelf, "list", "--delete", "--keep", "0", "--yes")
    assert done.code == 2
    assert "thesis.tex: no run left this" in done.err
    assert len(listed(here(shelf, "list", "--format", "json"))) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--delete"], "--delete: of what? Name the runs, or give --keep N or --older-than TIME"),
        (["--delete", "mine"], "mine: no run here; expected one that `scorebench list` shows (reports)"),
        (["--delete", "--keep", "-1"], "--keep -1: expected 0 or more"),
        (["--delete", "--older-than", "old"], "--older-than: found 'old'; expected a duration"),
        (["a"], "a: only --delete takes runs; to list another folder, give --report-dir DIR"),
        (["--keep", "3"], "--keep: needs --delete"),
        (["--format", "xml"], "--format xml: not known; expected one of text, json"),
        (["--report-dir", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_words_are_one_line(shelf: Path, words: list[str], said: str) -> None:
    done = here(shelf, "list", *words)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_damaged_summary_is_still_a_run(shelf: Path) -> None:
    """It can be listed and deleted; its figures are not known."""
    (shelf / "reports" / "a" / "summary.json").write_text('{"verdict": \x1b')
    done = here(shelf, "list")
    assert "not measured" in next(line for line in done.out.splitlines() if "reports/a" in line)
    assert "\x1b" not in done.out


def test_report_prints_what_latest_leads_to(shelf: Path) -> None:
    """Repeated runs as their table, a matrix as it was left."""
    latest = shelf / "reports" / "latest"
    for name, first in (("set", "  Run"), ("table", "| Server |")):
        latest.unlink()
        latest.symlink_to(name)
        done = here(shelf, "report")
        assert done.code == 0, done.err
        assert done.out.startswith(first)
    assert here(shelf, "report", "reports/set", "--format", "junit").out.count("<testsuite ") == 2
    refused = here(shelf, "report", "reports/set", "--format", "html")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
