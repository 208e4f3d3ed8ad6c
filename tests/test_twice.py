"""What failed beside other tests runs once more: the starved pass then, and the wrong fail again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT

STARVED = """
from pathlib import Path

def test_passes_the_second_time():
    seen = Path("seen")
    again = seen.exists()
    seen.touch()
    assert again
"""
WRONG = "def test_fails{}():\n    Path('runs').open('a').write('x')\n    assert False\n"


def twice(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(f"from pathlib import Path\n{tests}\ndef test_passes():\n    pass\n")
    return run(folder)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.twice", "-p", "no:cacheprovider"]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, check=False, cwd=folder, env=own, capture_output=True, text=True, timeout=60)


def test_one_that_was_starved_passes_and_is_named(tmp_path: Path) -> None:
    done = twice(tmp_path, STARVED)
    assert done.returncode == 0
    assert "1 failed, 1 passed" in done.stdout
    assert "test_it.py::test_passes_the_second_time" in done.stdout


def test_one_that_is_wrong_fails_both_times(tmp_path: Path) -> None:
    done = twice(tmp_path, WRONG.format(""))
    assert done.returncode == 1
    assert (tmp_path / "runs").read_text() == "xx"


def test_many_are_not_tried_again(tmp_path: Path) -> None:
    done = twice(tmp_path, "".join(WRONG.format(number) for number in range(4)))
    assert done.returncode == 1
    assert (tmp_path / "runs").read_text() == "xxxx"


def test_no_test_at_all_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 5
