"""A run's folder: what is written there, and a recording read back. Knows files; not what figures mean.

Each file is written beside its place and then renamed, so a reader finds a whole file or none.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.recording import FormatError, Recording
from scorebench.timeline import Second, timeline

if TYPE_CHECKING:
    from scorebench.summary import Summary
    from scorebench.verdict import Verdict

RECORDING = "recording.json"
SUMMARY = "summary.json"
USERS = "users.csv"
SECONDS = "seconds.csv"
LATEST = "latest"

USER_COLUMNS = ("worker", "user", "calls", "valid", "mean_s", "min_s", "max_s")


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
    """Leave the run in `path` and point `latest`, beside it, to it."""
    write_text(path / RECORDING, _json(recording.to_dict(), indent=None))
    write_text(path / SUMMARY, _json({**summary.to_dict(), "verdict": verdict.to_dict()}, indent=2))
    write_text(path / USERS, _csv(USER_COLUMNS, (user.to_dict().values() for user in summary.users)))
    columns = [column.name for column in fields(Second)]
    write_text(path / SECONDS, _csv(columns, map(astuple, timeline(recording.measured))))
    _point_latest(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 to `path` whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Recording:
    """The recording in a run's folder, or in the file itself. InputError for whatever can't be read."""
    file = path / RECORDING if path.is_dir() else path
    try:
        data = json.loads(file.read_bytes())
    except OSError as problem:
        raise InputError(
            f"{file}: {problem.strerror or problem}; expected the {RECORDING} of a run. "
            "Give the folder that a run left, such as reports/latest."
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{file}: is not JSON, or cut short; expected the {RECORDING} of a run.") from None
    return _recording(data, file)


def _recording(data: Any, file: Path) -> Recording:
    if not isinstance(data, dict) or "measured" not in data or "format" not in data:
        raise InputError(f"{file}: is not a recording of scorebench; expected the {RECORDING} of a run.")
    try:
        return Recording.from_dict(data)
    except FormatError as problem:
        raise InputError(f"{file}: {problem}") from None
    except Exception as problem:  # a file is hostile input, and HdrHistogram's decoder raises as it likes
        raise InputError(
            f"{file}: is damaged ({type(problem).__name__}); expected the {RECORDING} of a run, unchanged."
        ) from None


def _json(data: Mapping[str, Any], indent: int | None) -> str:
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """What is None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _point_latest(path: Path) -> None:
    """A relative link, so that the reports can be moved; left as it is where somebody put a real folder."""
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
