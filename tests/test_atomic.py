"""Files are written whole or not at all, and never through a link that somebody planted."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest

from scorebench.folders import atomic

GUESSED = "0123456789abcdef"


def full(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_write_that_breaks_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk full in the middle of the new text: the old text stands, and no half one beside it."""
    file = tmp_path / "summary.json"
    atomic.write_text(file, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_text(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_planted_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one whose name was guessed: the write is refused, and what the link leads to stays as it was."""
    precious, file = tmp_path / "precious", tmp_path / "out.xml"
    precious.write_text("mine")
    monkeypatch.setattr(secrets, "token_hex", lambda _: GUESSED)
    (tmp_path / f".out.xml.{GUESSED}").symlink_to(precious)
    with pytest.raises(FileExistsError):
        atomic.write_text(file, "theirs")
    assert precious.read_text() == "mine"
    assert not file.exists()


def test_names_beside_a_file_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes of one process use two names, with 64 random bits each."""
    used: list[str] = []
    opened = os.open

    def noted(path: Path, *rest: int) -> int:
        used.append(Path(path).name)
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", noted)
    for _ in range(2):
        atomic.write_text(tmp_path / "a", "x")
    assert len(set(used)) == 2
    assert all(len(name.removeprefix(".a.")) == 16 for name in used)


def test_a_link_in_a_file_s_place_is_replaced_not_followed(tmp_path: Path) -> None:
    """Where the file itself is a link, the link goes and what it led to stays."""
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "out.xml").symlink_to("precious")
    atomic.write_text(tmp_path / "out.xml", "theirs")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "out.xml").is_symlink()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """As `--junit /dev/stdout` is: what is no regular file stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    atomic.write_text(pipe, "said")
    assert os.read(reader, 10) == b"said"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_has_the_rights_that_others_have(tmp_path: Path) -> None:
    """Those of any new file, and not those of a secret."""
    (tmp_path / "plain").write_text("")
    atomic.write_text(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_fits_is_written_and_the_rest_is_named(tmp_path: Path) -> None:
    """A name that is a folder can't be written; the file after it is."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    unwritten = atomic.write_what_fits(tmp_path, [("a", lambda: "x"), ("c", lambda: "y")])
    assert list(unwritten) == ["a"]
    assert (tmp_path / "c").read_text() == "y"
    assert atomic.loss(tmp_path, unwritten) == (
        f"{tmp_path}: could not write a ({unwritten['a']}); what was measured is printed"
    )
    assert atomic.loss(tmp_path, {}) is None
