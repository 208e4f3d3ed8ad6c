"""Lets other users go first while a large answer is read. Knows gevent; nothing of answers."""

from __future__ import annotations

import gevent
from gevent import getcurrent

BREATH_S = 0.001
"""Not 0: gevent then goes on at once, and looks at no socket first."""


class Pauses:
    """Called between two slices of a large answer. `active`: how many users are in such a pause."""

    def __init__(self) -> None:
        self.active = 0

    def __call__(self) -> None:
        """Let the others run. A user that is killed meanwhile first finishes what it reads, and then ends."""
        self.active += 1
        try:
            gevent.sleep(BREATH_S)
        except gevent.GreenletExit:
            getcurrent().kill(block=False)  # again, once the call is recorded
        finally:
            self.active -= 1
