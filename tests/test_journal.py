"""A journal: whatever end of it is lost or damaged, the entries before it are read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.folders import atomic, folder
from scorebench.folders.journal import Journal, read_journal
from scorebench.folders.names import JOURNAL
from scorebench.recordings.recording import Recording
from scorebench.verdicts.verdict import judge
from tests.recordings import START_S, calls, data_of, evenly, recording

WHY = "its recording covers the first 3 s"
FACTS = {"started_s": START_S, "users": 2, "url": "half \ud800"}


def part(number: int) -> Recording:
    """Ten calls in second `number`, with a sample."""
    made = recording(calls([(due + number, sent + number, done + number) for due, sent, done in evenly(10)]))
    made.resources.append({"t_s": START_S + number, "who": "generator", "cpu": 0.1, "rss_bytes": 1})
    return made


def written(path: Path, parts: int = 3) -> Path:
    """A journal of that many entries, left open as a killed process leaves it."""
    path.mkdir(parents=True)
    journal = Journal(path, FACTS)
    for number in range(parts):
        events = [{"t_s": START_S, "what": "server restarted"}] if number == 1 else []
        journal.count(START_S + number + 1, part(number), events)  # type: ignore[arg-type]
    return journal.path


def test_a_journal_reads_as_the_recording_of_its_entries(tmp_path: Path) -> None:
    """Calls, samples and events of all entries; that it was killed, and until when they go."""
    read = folder.read(written(tmp_path / "run").parent)
    whole = Recording()
    for number in range(3):
        whole.merge(part(number))
    assert data_of(read)["measured"] == data_of(whole)["measured"]
    assert read.resources == whole.resources
    assert [event["what"] for event in read.events] == ["server restarted", "killed"]
    assert read.events[-1] == {"t_s": START_S + 3, "what": "killed", "why": WHY}
    assert read.environment == {**FACTS, "url": "half \ufffd", "stopped_s": START_S + 3}


@pytest.mark.parametrize("bytes_free", [0, 5, 60])
def test_a_journal_that_can_not_begin_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_free: int
) -> None:
    """The disk is full at once, within the first line, or within the first entry: no file, none left open."""
    opened: list[int] = []
    create, write, free = atomic.create, os.write, [bytes_free]

    def creating(path: Path) -> int:
        opened.append(create(path))
        return opened[-1]

    def writing(descriptor: int, content: bytes) -> int:
        if descriptor not in opened:
            return write(descriptor, content)
        if not free[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, content[: free[0]])
        free[0] -= written
        return written

    monkeypatch.setattr(atomic, "create", creating)
    monkeypatch.setattr(os, "write", writing)
    with pytest.raises(OSError, match="No space left"):
        Journal(tmp_path, FACTS)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_a_killed_run_is_not_valid(tmp_path: Path) -> None:
    """Its figures stand, and the verdict says until when they go."""
    read = read_journal(written(tmp_path / "run"))
    verdict = judge(summarise(read), read)
    assert not verdict.valid
    (found,) = [finding for finding in verdict.findings if finding.code == "killed"]
    assert found.text == f"the run was killed: {WHY}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.floats(0, 1), st.one_of(st.none(), st.integers(1, 255)))
def test_what_is_cut_or_damaged_ends_the_reading(tmp_path: Path, at: float, flip: int | None) -> None:
    """Cut after any byte, or with any byte changed: the entries before it are read, ten calls each."""
    file = tmp_path / "run" / JOURNAL
    content = (file if file.exists() else written(tmp_path / "run")).read_bytes()
    cut = tmp_path / JOURNAL
    place = int(at * (len(content) - 1))
    damaged = bytes([content[place] ^ flip]) + content[place + 1 :] if flip else b""
    cut.write_bytes(content[:place] + damaged)
    try:
        read = read_journal(cut)
    except InputError as error:
        reason = str(error)
        assert "holds no call" in reason
        return
    assert read.measured.calls in (10, 20)
    assert summarise(read).accounting.adds_up


def test_what_was_reset_does_not_count(tmp_path: Path) -> None:
    """Locust's statistics were reset between two entries: only the second counts."""
    path = tmp_path / "run"
    path.mkdir()
    journal = Journal(path, FACTS)
    journal.count(START_S + 1, part(0), [])
    journal.reset()
    journal.count(START_S + 2, part(1), [])
    assert read_journal(journal.path).measured.calls == 10


def test_a_journal_is_removed_unless_it_is_needed(tmp_path: Path) -> None:
    """Once the recording is there; a journal is kept where it is not."""
    for name, keep in (("gone", False), ("kept", True)):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name, FACTS)
        journal.close(keep=keep)
        assert journal.path.exists() is keep


def test_a_planted_journal_is_not_followed(tmp_path: Path) -> None:
    """A link in its place is an error, and what it leads to stays as it was."""
    (tmp_path / "precious").write_text("mine")
    (tmp_path / JOURNAL).symlink_to("precious")
    with pytest.raises(FileExistsError):
        Journal(tmp_path, FACTS)
    assert (tmp_path / "precious").read_text() == "mine"
