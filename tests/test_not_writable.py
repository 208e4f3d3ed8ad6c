"""A report that can't be kept: the figures are printed all the same, and the loss is one line."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scorebench.errors import InputError
from scorebench.folders import making
from tests.commands import Done, locust, run, scorebench
from tests.requirements import require
from tests.scoring_server import Behaviour, Constant, ScoringServer, scoring_server

SLOW = Behaviour(service=Constant(0.01))
WORDS = ("--users", "2", "--run-time", "3s")


@contextmanager
def meanwhile(server: ScoringServer, act: Callable[[], None]) -> Iterator[None]:
    """Do something once the server has answered a few calls."""

    def wait() -> None:
        while len(server.log()) < 20:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()


def printed(done: Done, calls: int) -> str:
    """The line of the loss; every call stands in the text report, and there is no traceback."""
    assert f"{calls:,} calls due = {calls:,} valid" in done.out
    assert "Traceback" not in done.err + done.out
    (line,) = [line for line in done.err.splitlines() if line.startswith("scorebench: ")]
    return line


@pytest.mark.parametrize("command", [scorebench, locust], ids=["scorebench", "locust"])
def test_a_folder_in_whose_place_is_a_file(tmp_path: Path, command: Callable[..., Done]) -> None:
    """reports/ goes during the run and a file takes its name: printed, one line, exit 1."""
    reports = tmp_path / "reports"

    def take() -> None:
        shutil.rmtree(reports, ignore_errors=True)
        reports.write_text("")

    with scoring_server(SLOW) as server, meanwhile(server, take):
        words = ["run", server.url] if command is scorebench else ["-H", server.url]
        done = command(tmp_path, *words, *WORDS)
    assert str(reports.name) in printed(done, len(server.log()))
    assert done.code == 1


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """Nothing is lost then: the report is there, and the exit code is the verdict's."""
    with scoring_server(SLOW) as server, meanwhile(server, lambda: shutil.rmtree(tmp_path / "reports")):
        done = scorebench(tmp_path, "run", server.url, *WORDS)
    assert done.summary["calls"] == len(server.log())
    assert done.code in (0, 4)
    assert "could not write" not in done.err


def test_what_fits_is_written(tmp_path: Path) -> None:
    """No file may have more than 8 kB: the page and others are named, users.csv is there."""
    with scoring_server(SLOW) as server:
        words = " ".join([sys.executable, "-m", "scorebench", "run", server.url, *WORDS])
        done = run(["bash", "-c", f"ulimit -f 8; exec {words}"], tmp_path, PYTHONDONTWRITEBYTECODE="1")
    line = printed(done, len(server.log()))
    assert "report.html" in line
    assert "File too large" in line
    assert list(tmp_path.glob("reports/*/users.csv"))
    assert done.code in (1, 4)


def test_a_full_disk(tmp_path: Path) -> None:
    """A disk of 40 MB is filled during the run: the figures are printed, the loss is told."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(disk)], check=False)
    require("the right to mount", mounted.returncode == 0, "run as root")

    def fill() -> None:
        with (disk / "all").open("wb", buffering=0) as file:
            while file.write(bytes(2**20)) == 2**20:
                pass

    def fill_until_full() -> None:
        try:
            fill()
        except OSError:
            return

    try:
        with scoring_server(SLOW) as server, meanwhile(server, fill_until_full):
            done = scorebench(tmp_path, "run", server.url, *WORDS, "--report-dir", str(disk))
        assert "recording.json" in printed(done, len(server.log()))
        assert "No space left on device" in done.err
        assert done.code in (1, 4)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_too_little_room_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """16 MiB, and 4 kB a second: 10 MB are too few for any run, 20 MB for one of an hour."""
    for free, run_time_s, enough in ((10, None, False), (20, None, True), (20, 3_600.0, False)):
        usage = shutil._ntuple_diskusage(10**9, 10**9, free * 10**6)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        if enough:
            making.check_parent(tmp_path, run_time_s)
        else:
            with pytest.raises(InputError, match=rf"found {free} MB free; expected at least \d+ MB"):
                making.check_parent(tmp_path, run_time_s)
    assert list(tmp_path.iterdir()) == []
