"""A run's folder: what is written there, and a recording read back. Knows files; not what figures mean.

Each file is written beside its place and then renamed, so a reader finds a whole file or none.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.folders import schema
from scorebench.folders.names import (
    CALLS,
    CAPACITY,
    CAPACITY_TEXT,
    LATEST,
    PAGE,
    RECORDING,
    SECONDS,
    SUMMARY,
    USERS,
)
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import FORMAT, FormatError, Recording
from scorebench.report import data, page

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict

LONGEST_RUN_S = 7 * 24 * 3600
DEEPEST = 20


def check_parent(parent: Path) -> None:
    """InputError where `create` could not make a folder; leaves none itself."""
    nearest = next(path for path in (parent, *parent.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as problem:
        raise InputError(
            f"{parent}: no report can be written here ({problem.strerror}). Give another with --report-dir."
        ) from None


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


def write(path: Path, recording: Recording, summary: Summary, verdict: Verdict) -> None:
    """Leave the run in `path`, which is there."""
    write_text(path / RECORDING, data.dumped(recording.to_dict()))
    write_text(path / SUMMARY, data.render_json(summary, verdict))
    write_text(path / USERS, data.users_csv(summary))
    write_text(path / SECONDS, data.seconds_csv(recording))
    write_text(path / PAGE, page.render(recording, summary, verdict))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 to `path` whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_calls(path: Path, kept: Sequence[tuple[int, Calls]]) -> None:
    """calls.parquet: every call with its worker; times are Unix seconds, the outcome by its label."""
    import pandas as pd

    frames = [
        pd.DataFrame({"worker": worker} | {f.name: getattr(calls, f.name) for f in fields(calls)})
        for worker, calls in kept
    ]
    table = pd.concat(frames, ignore_index=True)
    table["outcome"] = [Outcome(code).label for code in table["outcome"].tolist()]
    hidden = path / f".{CALLS}.part"
    table.to_parquet(hidden, index=False)
    hidden.replace(path / CALLS)


def read(path: Path) -> Recording:
    """The recording in a run's folder, or in the file itself. InputError for whatever can't be read."""
    file = path / RECORDING if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes(), parse_constant=_refused)
    except OSError as problem:
        raise InputError(
            f"{file}: {problem.strerror or problem}; expected the {RECORDING} of a run. "
            "Give the folder that a run left, such as reports/latest."
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{file}: is not JSON, or cut short; expected the {RECORDING} of a run.") from None
    return _recording(content, file)


def read_capacity(path: Path) -> tuple[dict[str, Any], str]:
    """(capacity.json, capacity.txt) of a search for capacity. InputError for whatever can't be read."""
    file = path / CAPACITY
    try:
        record = json.loads(file.read_bytes(), parse_constant=_refused)
        said = (path / CAPACITY_TEXT).read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"{problem.filename}: {problem.strerror}; expected what `scorebench capacity` left. "
            "Give the folder that it named."
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{file}: is not JSON, or cut short; expected that of a search.") from None
    if fault := schema.first_fault(record, schema.load("capacity")) or (
        None if _is_flat(record, DEEPEST) else "$: found lists within lists"
    ):
        raise InputError(f"{file}: is damaged: {fault}. Expected what `scorebench capacity` left, unchanged.")
    return record, said


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _recording(content: Any, file: Path) -> Recording:
    if not isinstance(content, dict) or "measured" not in content or "format" not in content:
        raise InputError(f"{file}: is not a recording of scorebench; expected the {RECORDING} of a run.")
    if content["format"] != FORMAT or isinstance(content["format"], bool):
        raise InputError(f"{file}: {FormatError(content['format'])}")
    if fault := _fault(content):
        raise InputError(f"{file}: is damaged: {fault}. Expected the {RECORDING} of a run, unchanged.")
    try:
        return Recording.from_dict(content)
    except Exception as problem:  # HdrHistogram's decoder raises as it likes, and a file is hostile input
        raise InputError(
            f"{file}: is damaged ({type(problem).__name__}); expected the {RECORDING} of a run, unchanged."
        ) from None


def _fault(content: dict[str, Any]) -> str | None:
    """Where the file differs from its schema, or would fill the memory."""
    if fault := schema.first_fault(content, schema.load("recording")):
        return fault
    for phase in ("measured", "warm_up"):
        seconds = [second[0] for second in content[phase]["seconds"]]
        if seconds and max(seconds) - min(seconds) > LONGEST_RUN_S:
            return f"$.{phase}.seconds: found {max(seconds) - min(seconds):,} s; expected a week at most"
    if not _is_flat(content, DEEPEST):
        return f"$: found lists within lists; expected at most {DEEPEST}"
    return None


def _is_flat(value: Any, levels: int) -> bool:
    """Whether no list or object lies deeper than `levels`, itself the first."""
    level = [value]
    for _ in range(levels):
        level = [item for outer in level for item in _items(outer) if isinstance(item, (dict, list))]
        if not level:
            return True
    return False


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def point_latest(path: Path) -> None:
    """Have `latest`, beside `path`, lead to it: a relative link, so that reports can be moved.

    Left as it is where somebody put a real folder.
    """
    latest = path.parent / LATEST
    if latest.exists() and not latest.is_symlink():
        return
    beside = path.parent / f".{LATEST}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    try:
        beside.symlink_to(path.name)
        beside.replace(latest)
    except OSError:  # a file system without links: the folder itself is there
        beside.unlink(missing_ok=True)


def _plain_name(text: str) -> str:
    """As part of a file's name: letters, digits and a few signs, never empty."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:60] or "server"
