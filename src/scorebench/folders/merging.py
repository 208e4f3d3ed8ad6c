"""Recordings of one load from several processes → one recording. Knows folders and recordings; no figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.folders import folder
from scorebench.recordings.recording import Recording

SAME = ("url", "arrivals", "seed", "scenario", "run_time_s", "warm_up_s")
"""What all of them must have in their environment; and the payload's digest."""
LATEST = ("load_ended_s", "stopped_s")
"""Times of the whole that are those of the last."""


def merged(paths: Sequence[Path]) -> Recording:
    """All of them together. InputError where one can't be read, comes twice, or is of another load."""
    whole = Recording()
    environment: dict[str, Any] = {}
    seen: set[Path] = set()
    workers: set[int] = set()
    for path in paths:
        if path.resolve() in seen:
            raise InputError(f"merge: {path} was given twice; its calls would count twice. Give it once.")
        seen.add(path.resolve())
        one = folder.read(path)
        environment = _together(environment, one.environment, path, paths[0])
        _renumber(one, workers)
        one.environment = {}
        whole.merge(one)
    whole.environment = environment
    whole.events.sort(key=lambda event: event.get("t_s", 0.0))
    return whole


def _together(mine: dict[str, Any], theirs: dict[str, Any], path: Path, first: Path) -> dict[str, Any]:
    if not mine:
        return dict(theirs)
    for name, found, expected in (
        *((name, theirs.get(name), mine.get(name)) for name in SAME),
        ("payload", _digest(theirs), _digest(mine)),
    ):
        if found != expected:
            raise InputError(
                f"merge: {path} is of another load: its {name} is {found}, that of {first} is {expected}. "
                "Give the recordings of one run."
            )
    times = {name: max(one.get(name) or 0.0 for one in (mine, theirs)) or None for name in LATEST}
    starts = [one["started_s"] for one in (mine, theirs) if one.get("started_s")]
    return {**mine, **times, "started_s": min(starts, default=None)}


def _digest(environment: dict[str, Any]) -> Any:
    return (environment.get("payload") or {}).get("digest")


def _renumber(recording: Recording, taken: set[int]) -> None:
    """Give its workers numbers that no other has: two first users stay two."""
    own = {worker for tally in (recording.measured, recording.warm_up) for worker, _ in tally.users}
    free = (number for number in range(len(own) + len(taken) + 1) if number not in taken | own)
    new = {worker: next(free) if worker in taken else worker for worker in sorted(own)}
    recording.renumber_workers(new)
    taken.update(new.values())
