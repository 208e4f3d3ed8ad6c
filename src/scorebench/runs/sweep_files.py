"""A sweep's folder: made or taken up again, and its files written. Knows files; measures nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.folders import atomic, reading
from scorebench.folders.fresh import run_folder
from scorebench.folders.names import PAGE, SWEEP, SWEEP_CSV, SWEEP_PLAN, SWEEP_TEXT

if TYPE_CHECKING:
    from scorebench.runs.sweep_options import Wanted
    from scorebench.sweeps.found import Sweep


@contextmanager
def sweep_folder(wanted: Wanted, command: str) -> Iterator[Path]:
    """The folder of the sweep: a new one, or that to resume. InputError if that holds another sweep."""
    cells = [asdict(place) for place in wanted.requests]
    plan = {"cells": cells, "run_s": wanted.run_s, "alike": wanted.alike}
    if wanted.resume is None:
        with run_folder(wanted.report_dir, f"{wanted.name}-sweep") as path:
            atomic.write_text(path / SWEEP_PLAN, json.dumps({**plan, "command": command}, indent=1) + "\n")
            yield path
        return
    path = wanted.resume.resolve()
    try:
        content = reading.content_of(path / SWEEP_PLAN, "a sweep's plan", "")
        there = reading.decoded(content, dict[str, Any], path / SWEEP_PLAN, "a sweep's plan")
    except InputError:
        raise InputError(
            f"--resume {wanted.resume}: found no {SWEEP_PLAN} of a sweep. Give the folder that it named."
        ) from None
    if {name: there.get(name) for name in plan} != plan:
        raise InputError(
            f"--resume {wanted.resume}: was another sweep. Give the same values again; it was started with "
            f"{there.get('command')}"
        )
    yield path


def leave(found: Sweep, path: Path) -> str | None:
    """Write the sweep in all its forms; a line on what could not be written."""
    from scorebench.report import sweep, sweep_page

    files = [
        (SWEEP, lambda: sweep.render_json(found)),
        (SWEEP_CSV, lambda: sweep.render_csv(found)),
        (SWEEP_TEXT, lambda: sweep.render(found)),
        (PAGE, lambda: sweep_page.render(found)),
    ]
    return atomic.loss(path, atomic.write_what_fits(path, files))


def clear(path: Path) -> None:
    """Nothing is at `path` any more, whether it was a folder, a file or a link."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
