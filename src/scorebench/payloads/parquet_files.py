"""A folder of Parquet files → those that count, and what they hold together. Knows Spark's and Delta's.

Delta leaves files in its folder that are no longer part of the table: its log says which ones are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from scorebench.errors import InputError
from scorebench.payloads import json_lines, parquet_size

DELTA_LOG = "_delta_log"
_FIRST_COMMIT = "00000000000000000000.json"
_SUFFIX = ".parquet"


def files(folder: Path) -> list[Path]:
    """The Parquet files of the folder and of those in it, without hidden ones (`_…`, `.…`); of a Delta table
    those of its newest version.

    Raises InputError where there are none, or where the log of a Delta table can't be followed.
    """
    if (folder / DELTA_LOG).is_dir():
        found = _of_delta(folder)
    else:
        found = [path for path in folder.rglob(f"*{_SUFFIX}") if not is_hidden(path, folder)]
    if not found:
        raise InputError(f"{folder}: found a folder without {_SUFFIX} files; give one that has some")
    return sorted(found)


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether the file, or a folder on the way to it, is one that Spark and others leave out."""
    return any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


def table(folder: Path) -> Any:
    """All the files as one table of Arrow; folders that are called `column=value` are a column."""
    from pyarrow import dataset

    paths = [str(path) for path in files(folder)]
    for path in paths:
        parquet_size.check(path, Path(path).stat().st_size, path)
    hive = dataset.partitioning(flavor="hive")
    return dataset.dataset(
        paths, format="parquet", partitioning=hive, partition_base_dir=str(folder)
    ).to_table()


def _of_delta(folder: Path) -> list[Path]:
    """Each commit adds files and removes some."""
    commits = sorted((folder / DELTA_LOG).glob("*.json"))
    if not commits or commits[0].name != _FIRST_COMMIT:
        raise InputError(
            f"{folder}: the log of this Delta table lacks its first commit, so its files are not known; "
            "write it out as Parquet and give that"
        )
    live: dict[str, None] = {}
    for commit in commits:
        for line in json_lines.read(commit):
            _take(line, live, folder)
    return [folder / unquote(name) for name in live]


def _take(line: json_lines.Line, live: dict[str, None], folder: Path) -> None:
    actions = line.value if isinstance(line.value, dict) else {}
    added, removed = actions.get("add") or {}, actions.get("remove") or {}
    if added.get("deletionVector"):
        raise InputError(
            f"{folder}: some rows of this Delta table are marked as deleted; write it out as Parquet, "
            "and give that"
        )
    name = added.get("path") or removed.get("path")
    if name is None:
        return
    if (
        not isinstance(name, str)
        or "://" in name
        or name.startswith("/")
        or ".." in Path(unquote(name)).parts
    ):
        raise InputError(
            f"{line.place}: found file {name!r:.80}, expected one within the folder; copy it there"
        )
    if removed:
        live.pop(name, None)
    else:
        live[name] = None
