"""Ctrl-C while calls in flight are waited for: it ends the wait, and not the report. Knows signals alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent


@contextmanager
def heard(cut_short: Callable[[], None]) -> Iterator[None]:
    """Within, SIGINT calls `cut_short` in a greenlet of its own.

    Python's own handler would raise KeyboardInterrupt wherever the main greenlet waits: in the listener that
    counts the last calls, which then are lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda _number, _frame: gevent.spawn(cut_short))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
