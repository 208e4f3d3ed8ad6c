"""What would hold all users for long in the midst of their calls, done before the first. Knows no run."""

from __future__ import annotations

import gc
import inspect

import scipy.special  # noqa: F401  before the first call: loading it holds all users for a tenth of a second


def pay() -> None:
    """Once before the first test, and before each that is started from the page."""
    # Locust looks at the stack before it says that it stops; the first look takes a fifth of a second.
    inspect.stack()
    # A full collection looks at all that was imported, for a twentieth of a second. Now that is left out.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
