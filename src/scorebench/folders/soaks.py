"""A soak's folder: what was asked for, and its parts, read one at a time. Knows files; starts nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from scorebench.errors import InputError
from scorebench.folders import folder, reading
from scorebench.folders.finished import Finished, finished
from scorebench.folders.names import SOAK_PARTS, SOAK_PLAN
from scorebench.recordings.types import LONGEST_RUN_S
from scorebench.soaks.found import Happening, Part, Soak, Stretch
from scorebench.soaks.parts import first_second, happenings_of, lost_part, part_of, stretch_s, stretches_of

WHAT, HINT = "what `scorebench soak` left", "Give the folder that it named."
_NUMBER = re.compile(r"\d{3,6}")
Length = Annotated[float, msgspec.Meta(ge=1, le=LONGEST_RUN_S)]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a soak was asked for: seconds, and the command that goes on with it."""

    run_time_s: Length
    part_s: Length
    command: Annotated[str, msgspec.Meta(max_length=100_000)]


def read_plan(path: Path) -> Plan:
    """InputError where there is none, or where it can't be read."""
    file = path / SOAK_PLAN
    return reading.decoded(reading.content_of(file, WHAT, HINT), Plan, file, WHAT)


def part_folder(path: Path, number: int) -> Path:
    """Of the part with this number, from 1."""
    return path / SOAK_PARTS / f"{number:03d}"


def part_folders(path: Path) -> list[Path]:
    """Of the parts that were begun, in order."""
    found = [one for one in (path / SOAK_PARTS).glob("*") if _NUMBER.fullmatch(one.name)]
    return sorted(found, key=lambda one: int(one.name))


def read_soak(path: Path) -> Soak:
    """All parts so far. One that can't be read, such as one killed in its first second, is not valid."""
    plan = read_plan(path)
    parts: list[Part] = []
    stretches: list[Stretch] = []
    happenings: list[Happening] = []
    environment: dict[str, Any] = {}
    began_s: int | None = None
    for one in part_folders(path):
        found = _read_part(one)
        name = str(one.relative_to(path))
        if isinstance(found, str):
            ended_s = parts[-1].at_s + parts[-1].load_s if parts else 0.0
            parts.append(replace(lost_part(found), folder=name, at_s=ended_s, asked_s=plan.part_s))
            continue
        recording, summary, first = found.recording, found.summary, first_second(found.recording)
        assert first is not None
        began_s = first if began_s is None else began_s
        environment = environment or dict(recording.environment)
        asked_s = recording.environment.get("run_time_s") or plan.part_s
        part = part_of(summary, recording, found.verdict)
        parts.append(replace(part, folder=name, at_s=float(max(first - began_s, 0)), asked_s=asked_s))
        stretches += stretches_of(recording, began_s, stretch_s(plan.run_time_s))
        happenings += happenings_of(summary, recording, began_s)
    return Soak(
        asked_s=plan.run_time_s,
        part_s=plan.part_s,
        parts=tuple(parts),
        stretches=tuple(stretches),
        happenings=tuple(sorted(happenings, key=lambda one: one.at_s)),
        command=plan.command,
        folder=str(path),
        environment=environment,
    )


def _read_part(path: Path) -> Finished | str:
    """The run, or why it has no figures."""
    if not folder.is_started(path):
        return "the run left nothing"
    try:
        found = finished(path)
    except InputError as problem:
        return str(problem)
    return "it has no call" if first_second(found.recording) is None else found
