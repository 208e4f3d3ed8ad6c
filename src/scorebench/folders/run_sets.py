"""Folders as a shell hands them over → sets of runs. Knows how runs are named; reads no figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY, LATEST, RECORDING
from scorebench.options.values import path_of

HOW = "Write NAME=DIR,DIR for each set, or give a folder of runs for each."
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}-?")
_TAIL = re.compile(r"[-_.]?\d+$")
_NUMBER = re.compile(r"-\d+$")


def sets_of(words: Sequence[str]) -> dict[str, list[Path]]:
    """{name: run folders}, in the order of `words`. InputError where they make fewer than two sets.

    `NAME=DIR,DIR` is a set; a folder that holds runs is one; other runs belong together when they lie in
    one folder and their names differ in a number at the end or in the date alone: before-1 and before-2, as
    `before*` finds them. A run counts once, by whichever link it was named; in two sets it is an InputError.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    seen: dict[Path, tuple[str, str]] = {}
    for word in words:
        name, paths = _listed(word)
        for path in paths:
            runs = runs_in(path)
            key = ("", name) if name else _key(path, alone=runs == [path])
            known = found.setdefault(key, [])
            for run in runs:
                if (before := seen.setdefault(run.resolve(), key)) != key:
                    raise InputError(f"compare: {run} is in two sets, {before[1]} and {key[1]}. {HOW}")
            known += [run for run in runs if run.resolve() not in {one.resolve() for one in known}]
    if len(found) < 2:
        names = ", ".join(name for _, name in found) or "nothing"
        raise InputError(f"compare: found one set of runs ({names}), needs two or more. {HOW}")
    return dict(zip(_short_names([_shown_name(key, found) for key in found]), found.values(), strict=True))


def _listed(word: str) -> tuple[str, list[Path]]:
    """`NAME=DIR,DIR` apart; a folder that is there is no such list, whatever its name."""
    name, equals, listed = word.partition("=")
    if not equals or _is_there(word):
        return "", [path_of(word)]
    if not name or not all(listed.split(",")):
        raise InputError(f"compare: found {word!r}; expected NAME=DIR,DIR, a folder between the commas.")
    return name, [path_of(part) for part in listed.split(",")]


def _is_there(word: str) -> bool:
    """Whether a folder has that name; many folders in a list are too long for a name."""
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


def _key(path: Path, *, alone: bool) -> tuple[str, str]:
    """(folder, name of the set) of a path; runs with the same key are a set. A folder of runs is a set."""
    real = path.resolve()
    if path.name == LATEST and real.parent == path.parent.resolve():
        path = path.with_name(real.name)  # in the folder as it was named, so that it is in the set of its run
    elif path.name == LATEST:
        path = real
    if not alone:
        return "", str(path)
    server = _STAMP.sub("", path.name)
    # Of a folder that we named, only our number goes: 10.0.0.1 and 10.0.0.2 are two servers.
    stem = (_TAIL if server == path.name else _NUMBER).sub("", server)
    return str(path.parent), stem or path.parent.name


def _shown_name(key: tuple[str, str], of: dict[tuple[str, str], list[Path]]) -> str:
    """The name of a set; if another set has the same, that of its folder, or both."""
    alike = [folder for folder, name in of if name == key[1]]
    folders = {Path(folder).name for folder in alike}
    if len(alike) < 2:
        return key[1]
    return Path(key[0]).name if len(folders) == len(of) else str(Path(*key))


def _short_names(names: Sequence[str]) -> list[str]:
    """Those of folders without the moment, `before/10.0.0.1-3-runs`, unless it alone tells two apart."""
    short = [_without_moment(Path(name)) if Path(name).is_dir() else name for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _without_moment(path: Path) -> str:
    name = _STAMP.sub("", path.name)
    return str(path.with_name(name)) if name else str(path)


def runs_in(path: Path) -> list[Path]:
    """The folder itself if a run left it, else the runs in it, also those of `run --repeat`.

    InputError where there is none.
    """
    if (path / RECORDING).exists():
        return [path]
    below = [] if (path / CAPACITY).exists() else [path.glob(f"*/{RECORDING}"), path.glob(f"*/*/{RECORDING}")]
    found = sorted(file.parent for files in below for file in files)
    runs = [run for run in found if LATEST not in run.relative_to(path).parts]
    if not runs:
        raise InputError(
            f"{path}: no run here; expected a folder with {RECORDING}, or with such folders in it"
        )
    return runs
