"""Folders as a shell hands them over → sets of runs. Knows how runs are named; reads no figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scorebench.errors import InputError
from scorebench.folder_names import LATEST, RECORDING

HOW = "Write NAME=DIR,DIR for each set, or give a folder of runs for each."
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}-?")
_TAIL = re.compile(r"[-_.]?\d+$")


def sets_of(words: Sequence[str]) -> dict[str, list[Path]]:
    """{name: run folders}, in the order of `words`. InputError where they make fewer than two sets.

    `NAME=DIR,DIR` is a set; a folder that holds runs is one; other runs belong together when their names
    differ in a number or a date at the end alone: before-1 and before-2, as `before*` finds them.
    """
    found: dict[str, list[Path]] = {}
    for word in words:
        name, equals, listed = word.partition("=")
        for path in map(Path, listed.split(",") if equals else [word]):
            runs = runs_in(path)
            key = name if equals else _name(path, alone=runs == [path])
            known = found.setdefault(key, [])
            known += [run for run in runs if run not in known]
    if len(found) < 2:
        names = ", ".join(found) or "nothing"
        raise InputError(f"compare: found one set of runs ({names}); expected two or more. {HOW}")
    return found


def runs_in(path: Path) -> list[Path]:
    """The folder itself if a run left it, else the runs in it. InputError where there is none."""
    if (path / RECORDING).exists():
        return [path]
    below = (
        sorted(p.parent for p in path.glob(f"*/{RECORDING}") if p.parent.name != LATEST)
        if path.is_dir()
        else []
    )
    if not below:
        raise InputError(
            f"{path}: no run is here; expected a folder with {RECORDING}, or with such folders in it"
        )
    return below


def _name(path: Path, *, alone: bool) -> str:
    if not alone:
        return str(path)
    stem = _TAIL.sub("", _STAMP.sub("", path.name))
    return stem or path.parent.name
