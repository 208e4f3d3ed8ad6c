"""The checks of `tests/plugged`, each file in a process of its own: Locust, which they import, patches it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, TIMEOUT_S

PLUGGED = Path(__file__).with_name("plugged")
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "python_files=check_*.py"]


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTEST, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


@pytest.mark.parametrize("path", sorted(PLUGGED.glob("check_*.py")), ids=lambda path: path.stem)
def test_plugged(path: Path) -> None:
    """All checks of the file hold."""
    ended = checked(path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_check_that_fails_is_seen(tmp_path: Path) -> None:
    """One that fails, and a file without any."""
    (tmp_path / "check_it.py").write_text("def test_it():\n    assert 1 == 2\n")
    assert checked(tmp_path / "check_it.py").returncode == 1
    (tmp_path / "check_it.py").write_text("")
    assert checked(tmp_path / "check_it.py").returncode == 5
