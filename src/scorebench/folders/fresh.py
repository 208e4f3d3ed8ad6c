"""A new folder for a run. Knows when it is kept; nothing of what is written into it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from scorebench.errors import InputError
from scorebench.folders import making
from scorebench.folders.names import JOURNAL, RECORDING


@contextmanager
def run_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder below `parent`; `latest` then leads to it.

    Where wrong input or a signal ends the block before anything was measured, the folder is removed, and its
    parent too if that was made for it.
    """
    making.check_parent(parent)
    is_new = not parent.exists()
    path = making.create(parent, name, datetime.now())
    try:
        yield path
    except (InputError, KeyboardInterrupt, SystemExit):
        if not any(found for name in (RECORDING, JOURNAL) for found in path.rglob(name)):
            shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        if is_new and not path.exists():
            with suppress(OSError):  # somebody else has put something there
                parent.rmdir()
    if path.exists():
        making.point_latest(path)
