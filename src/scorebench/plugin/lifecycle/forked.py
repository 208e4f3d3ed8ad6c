"""The worker processes that Locust forked from this one (`--processes`): which of them have ended.

Knows psutil and gevent's clock; nothing of messages: a worker that ends before it says anything is seen too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import gevent
import psutil

LOOK_S = 0.25


class Forked:
    """The workers that this process started, as they were when it was asked first."""

    def __init__(self, asked: int) -> None:
        """`asked` is --processes; 0 where workers are started by somebody else."""
        self._asked = asked
        self._alive = _own_children() if asked else []
        self._all = {child.pid: child for child in self._alive}

    def ended(self) -> int:
        """How many have ended, also before they were counted first."""
        self._alive = [child for child in self._alive if _lives(child)]
        return self._asked - len(self._alive)

    def has_ended(self, pid: int) -> bool:
        """Whether the worker with this number has ended; False for a process that is none of them."""
        child = self._all.get(pid)
        return child is not None and not _lives(child)

    def watch(self, until: Callable[[], bool], on_ended: Callable[[str], None]) -> None:
        """Tell `on_ended` once how many have ended, unless `until` is true before; for a greenlet."""
        while self._asked and not until():
            if ended := self.ended():
                on_ended(f"{ended} of {self._asked}")
                return
            gevent.sleep(LOOK_S)

    def end(self) -> None:
        """End those that are left: nobody will tell them what to do."""
        for child in self._alive:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _own_children() -> list[psutil.Process]:
    """Children with the command line of this process: a locustfile may have started others."""
    own = psutil.Process()
    command = own.cmdline()
    return [child for child in own.children() if _lives(child) and child.cmdline() == command]


def _lives(child: psutil.Process) -> bool:
    """Whether it runs. One that has ended and was not waited for yet doesn't."""
    try:
        return bool(child.is_running() and child.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
