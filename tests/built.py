"""The project's wheel, for tests of what users install. Knows pip; nothing of what is in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT
from tests.requirements import require


def built(folder: Path) -> Path:
    """The wheel, built into `folder`; needs the registry, for what builds it."""
    words = ["wheel", "-q", "--no-deps", "--disable-pip-version-check", "-w", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False)
    require("a package registry", "No matching distribution" not in done.stderr, "run with network access")
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made
