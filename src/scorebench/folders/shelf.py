"""What lies under reports/: each run and each set of runs in a line. Knows folders; judges nothing.

Read from the small files of a folder, so that a hundred runs take no longer than their names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from scorebench.errors import InputError
from scorebench.folders import reading
from scorebench.folders.names import (
    CAPACITY,
    JOURNAL,
    LATEST,
    MATRIX_JSON,
    RECORDING,
    SERVER_LOG,
    SOAK_PLAN,
    SUMMARY,
    SWEEP_PLAN,
    VERSUS,
)

MOST_RUNS = 10_000
"""In one folder, by which a folder that holds something else altogether is not searched to its end."""

SETS = {
    "capacity": CAPACITY,
    "matrix": MATRIX_JSON,
    "versus": VERSUS,
    "sweep": SWEEP_PLAN,
    "soak": SOAK_PLAN,
}
"""What a command that makes several runs leaves in their folder, by the command."""


class _Response(msgspec.Struct):
    p99: float | None = None


class _Verdict(msgspec.Struct):
    valid: bool
    met: bool | None
    exit_code: int


class _Small(msgspec.Struct):
    """What a line needs of summary.json."""

    throughput_per_s: float | None
    response_time_s: _Response
    verdict: _Verdict
    environment: dict[str, Any]


@dataclass(frozen=True)
class Shelved:
    """A folder under reports/. `what`: run, runs, or one of SETS. Rates a second, times in seconds."""

    folder: Path
    what: str
    changed_s: float
    """When something was last put into it, in Unix seconds."""
    runs: int = 1
    target: str | None = None
    throughput_per_s: float | None = None
    p99_s: float | None = None
    valid: bool | None = None
    met: bool | None = None
    exit_code: int | None = None


def shelved(parent: Path) -> list[Shelved]:
    """All that lies in `parent`, newest first; links, and what scorebench did not make, are left out."""
    if not parent.is_dir():
        raise InputError(
            f"{parent}: no such folder; runs leave theirs there. Start one, or give another --report-dir DIR"
        )
    folders = (
        path for path in islice(parent.iterdir(), MOST_RUNS) if path.is_dir() and not path.is_symlink()
    )
    found = [one for path in folders if (one := _of(path)) is not None]
    return sorted(found, key=lambda one: (one.changed_s, one.folder.name), reverse=True)


def _of(path: Path) -> Shelved | None:
    if (path / RECORDING).is_file() or (path / JOURNAL).is_file():
        return _run(path)
    for what, file in SETS.items():
        if (path / file).is_file():
            return Shelved(path, what, (path / file).stat().st_mtime, _count(path, f"**/{RECORDING}"))
    runs = _count(path, f"*/{RECORDING}")
    return Shelved(path, "runs", path.stat().st_mtime, runs) if runs else None


def _count(path: Path, pattern: str) -> int:
    return sum(1 for _ in islice(path.glob(pattern), MOST_RUNS))


def _run(path: Path) -> Shelved:
    file = next((path / n for n in (SUMMARY, RECORDING, JOURNAL) if (path / n).is_file()), path)
    bare = Shelved(path, "run", file.stat().st_mtime)
    try:
        content = reading.content_of(path / SUMMARY, "a summary", "")
        small = reading.decoded(content, _Small, path / SUMMARY, "a summary")
    except InputError:  # killed before its end, or by another version: the folder is still one to delete
        return bare
    server = small.environment.get("server")
    kind = server.get("kind") if isinstance(server, dict) else None
    target = kind or small.environment.get("url")
    return Shelved(
        path,
        "run",
        bare.changed_s,
        target=None if target is None else str(target),
        throughput_per_s=small.throughput_per_s,
        p99_s=small.response_time_s.p99,
        valid=small.verdict.valid,
        met=small.verdict.met,
        exit_code=small.verdict.exit_code,
    )


def to_delete(
    found: Sequence[Shelved],
    *,
    names: Iterable[Path] = (),
    keep: int | None = None,
    older_than: timedelta | None = None,
    now: datetime,
) -> list[Shelved]:
    """Those that were named, and those beyond the newest `keep` or older than `older_than`, newest first.

    With both, only what is beyond the newest and too old. InputError for a name that is no run of ours.
    """
    chosen = {_named(name, found) for name in names}
    if keep is not None or older_than is not None:
        old = found if keep is None else found[keep:]
        at_most_s = float("inf") if older_than is None else (now - older_than).timestamp()
        chosen |= {one.folder for one in old if one.changed_s <= at_most_s}
    return [one for one in found if one.folder in chosen]


def _named(name: Path, found: Sequence[Shelved]) -> Path:
    """The folder that a word means: its path, its bare name, or `latest`."""
    for one in found:
        beside = one.folder.parent / name
        if any(path.exists() and path.resolve() == one.folder.resolve() for path in (name, beside)):
            return one.folder
    places = ", ".join(sorted({str(one.folder.parent) for one in found})) or "an empty folder"
    raise InputError(f"{name}: no run here; expected one that `scorebench list` shows ({places})")


def delete(chosen: Sequence[Shelved]) -> Iterator[Shelved]:
    """Delete one after the other; `latest` goes too once its target is gone. InputError where one can't be.

    Nothing is deleted where a folder of runs holds something that no run left.
    """
    for one in chosen:
        _check_ours(one)
    for one in chosen:
        try:
            shutil.rmtree(one.folder)
        except OSError as problem:
            raise InputError(f"{one.folder}: can't be deleted: {problem.strerror or problem}") from None
        latest = one.folder.parent / LATEST
        if latest.is_symlink() and not latest.exists():
            latest.unlink(missing_ok=True)
        yield one


def _check_ours(one: Shelved) -> None:
    """A folder is somebody's own, in which runs lie too, as soon as anything else lies there."""
    if one.what != "runs":
        return
    for path in one.folder.iterdir():
        if not path.is_symlink() and path.name != SERVER_LOG and not (path.is_dir() and _of(path)):
            raise InputError(f"{path}: no run left this; move it away, or delete {one.folder} by hand")
