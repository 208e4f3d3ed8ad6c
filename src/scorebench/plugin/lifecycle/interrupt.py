"""Ctrl-C in Locust's process: ends the run, and once more the wait for calls in flight. Knows signals alone.

Python's own handler raises KeyboardInterrupt at any point of the process: in a user with its call, in
the midst of counting, or in the listener that writes the report; and that call, count or report is lost.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from gevent import get_hub, spawn


def listen(interrupted: Callable[[], bool]) -> None:
    """SIGINT raises KeyboardInterrupt in the main greenlet alone, where Locust awaits it, and once.

    `interrupted` is asked first, and says whether a test is stopping, which it then hurries. A process that
    ignores SIGINT, as a shell has what runs in its background do, goes on ignoring it.
    """
    was_raised = False

    def on_signal(_number: int, _frame: object) -> None:
        spawn(hear)

    def hear() -> None:
        nonlocal was_raised
        if not interrupted() and not was_raised:
            was_raised = True
            hub = get_hub()
            hub.loop.run_callback(hub.parent.throw, KeyboardInterrupt)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, on_signal)
