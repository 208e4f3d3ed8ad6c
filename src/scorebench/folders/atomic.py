"""Write a file whole or not at all. Knows paths and bytes; nothing of what they hold.

The new content goes into a file beside it, whose name nobody can guess and which must not exist yet: in a
folder that others can write, a link that somebody planted is never followed. Then it takes the file's place.
A pipe or a device, such as /dev/stdout, is written to as it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LONGEST_NAME = 100
Unwritten = dict[str, str]
"""By the name of a file: why it was not written."""


def write_text(path: Path, text: str) -> None:
    """Write UTF-8; what UTF-8 can't hold is written as an escape."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content`; OSError leaves the old file, and nothing beside it."""
    with writing(path) as file:
        file.write(content)


def write_what_fits(folder: Path, files: Iterable[tuple[str, Callable[[], str]]]) -> Unwritten:
    """Write each file whose text can be made and written, by its name; the folder is made if it is gone."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    unwritten = {}
    for name, text in files:
        try:
            write_text(folder / name, text())
        except OSError as problem:
            unwritten[name] = problem.strerror or str(problem)
    return unwritten


def loss(folder: Path, unwritten: Unwritten) -> str | None:
    """One line on what could not be written; None where there is nothing to say."""
    if not unwritten:
        return None
    why = " and ".join(sorted(set(unwritten.values())))
    return f"{folder}: could not write {', '.join(unwritten)} ({why}); what was measured is printed"


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` once the block has ended without an exception."""
    if path.exists() and not path.is_file():
        with path.open("wb") as special:
            yield special
        return
    beside = _beside(path)
    with os.fdopen(create(beside), "wb") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a full disk is told now, and a reboot leaves a whole file
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def link(path: Path, target: str) -> None:
    """Have `path` lead to `target`, which is relative to it. OSError on a file system without links."""
    beside = _beside(path)
    beside.symlink_to(target)
    try:
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def create(path: Path) -> int:
    """A descriptor to write to a file that must not exist yet, not even as a link."""
    return os.open(path, _NEW, 0o666)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(8)}")
