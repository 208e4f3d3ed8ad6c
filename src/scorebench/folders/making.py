"""A place for a run: whether one can be made, the folder, and the link `latest`. Knows none of its files."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from scorebench.errors import InputError
from scorebench.folders import atomic
from scorebench.folders.names import LATEST

LEAST_FREE_BYTES = 16 * 2**20
"""What must be free before a run: its folder takes a few hundred kilobytes, and some kilobytes a second."""
BYTES_A_SECOND = 4_000


def check_parent(parent: Path, run_time_s: float | None = None) -> None:
    """InputError where `create` could not make a folder, or too little is free; leaves no folder itself."""
    nearest = next(path for path in (parent, *parent.absolute().parents) if path.exists())
    needed = LEAST_FREE_BYTES + int(BYTES_A_SECOND * (run_time_s or 0.0))
    try:
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as problem:
        raise InputError(
            f"{parent}: no report can be written here ({problem.strerror}). Give another with --report-dir."
        ) from None
    if (free := shutil.disk_usage(nearest).free) < needed:
        raise InputError(
            f"{parent}: found {free / 1e6:,.0f} MB free; expected at least {needed / 1e6:,.0f} MB for the "
            "report. Free some, or give another folder with --report-dir."
        )


def create(parent: Path, server_name: str, now: datetime) -> Path:
    """Make `<parent>/<date>T<time>-<server>/`, numbered where that exists. InputError if it can't be."""
    name = f"{now:%Y-%m-%dT%H%M%S}-{_plain_name(server_name)}"
    for number in range(1, 1_000):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not parent.is_dir():
                raise InputError(f"{parent}: is not a folder. Give another with --report-dir.") from None
        except OSError as problem:
            raise InputError(
                f"{parent}: no report can be written here ({problem.strerror}). "
                "Give another folder with --report-dir."
            ) from None
        else:
            return path
    raise InputError(f"{parent}: holds 999 reports named {name}. Give another folder with --report-dir.")


def point_latest(path: Path) -> None:
    """Have `latest`, beside `path`, lead to it: a relative link, so that reports can be moved.

    Left as it is where somebody put a real folder.
    """
    latest = path.parent / LATEST
    if latest.exists() and not latest.is_symlink():
        return
    with suppress(OSError):  # a file system without links: the folder itself is there
        atomic.link(latest, path.name)


def _plain_name(text: str) -> str:
    """As part of a file's name: letters, digits and a few signs, never empty."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:60] or "server"
