"""What would hold all users for long in the midst of their calls, done before the first. Knows no run."""

from __future__ import annotations

import gc
import inspect
from importlib import import_module

from scorebench.figures.percentiles import MOST_ADDED


def import_for_rows() -> None:
    """What reads and encodes rows, which takes a second."""
    import_module("pandas")


def pay(calls: int | None = None) -> None:
    """Once before the first test, and before each that is started from the page; `calls` is --calls.

    Bounds need scipy.special, whose import holds all users for half a second; those of few calls don't.
    """
    if calls is None or calls > MOST_ADDED:
        import_module("scipy.special")
    # Locust looks at the stack before it says that it stops; the first look takes a fifth of a second.
    inspect.stack()
    # A full collection looks at all that was imported, for a twentieth of a second. Now that is left out.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
