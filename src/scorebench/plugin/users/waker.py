"""Wakes users at their due times, by one Linux timerfd; elsewhere by gevent's timer and a short spin.

Knows gevent's loop and the monotonic clock; nothing of calls. gevent's own timers ring on libev's millisecond
grid, which is ten times too late for a due time that must hold.
"""

from __future__ import annotations

import ctypes
import os
import sys
from bisect import insort
from collections import deque
from operator import itemgetter
from time import perf_counter as clock
from typing import Any

from gevent import get_hub, getcurrent

_CLOCK_MONOTONIC = 1  # what time.perf_counter reads on Linux
_TFD_TIMER_ABSTIME = 1
_TFD_NONBLOCK = os.O_NONBLOCK if hasattr(os, "O_NONBLOCK") else 0
_SPIN_S = 0.0015


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Waker:
    """A queue of greenlets in the order of their due times; the head is always next."""

    def __init__(self, *, timerfd: bool = sys.platform == "linux") -> None:
        self._queue: deque[tuple[float, Any]] = deque()
        self._libc = ctypes.CDLL(None, use_errno=True) if timerfd else None
        self._file: int | None = None
        self._watcher: Any = None
        if self._libc is not None:
            self._open_timer(self._libc)

    def _open_timer(self, libc: ctypes.CDLL) -> None:
        number = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK)
        if number < 0:
            return
        self._file = number
        self._timer = _Timer()
        self._pointer = ctypes.byref(self._timer)
        self._settime = libc.timerfd_settime
        self._watcher = get_hub().loop.io(number, 1)
        self._watcher.start(self._on_time)

    @property
    def waiting(self) -> bool:
        """Whether somebody waits."""
        return bool(self._queue)

    def is_near(self, within_s: float) -> bool:
        """Whether somebody is due in less than `within_s`."""
        return bool(self._queue) and self._queue[0][0] - clock() < within_s

    def wait_until(self, due_s: float) -> None:
        """Return at `due_s` of `time.perf_counter`, or earlier after `wake_all`."""
        entry = (due_s, getcurrent().switch)
        if not self._queue or self._queue[-1][0] <= due_s:
            self._queue.append(entry)  # tickets ascend
        else:  # but for one that was given back
            insort(self._queue, entry, key=itemgetter(0))
        if self._queue[0] is entry:
            self._arm(due_s)
        try:
            get_hub().switch()
        except BaseException:  # killed while waiting: nobody may switch into it any more
            if entry in self._queue:
                self._queue.remove(entry)
            raise

    def wake_all(self) -> None:
        """Let everybody return now: the run is over."""
        self._queue = deque((0.0, resume) for _, resume in self._queue)
        if self._queue:
            self._arm(clock())

    def close(self) -> None:
        """Give the timer back; nobody may wait any more."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _arm(self, due_s: float) -> None:
        if self._file is None:
            self._arm_loop(due_s)
            return
        seconds = int(due_s)
        value = self._timer.value
        # A value of zero would disarm it, and one in the past rings at once.
        value.seconds, value.nanoseconds = seconds, max(int((due_s - seconds) * 1e9), 1)
        self._settime(self._file, _TFD_TIMER_ABSTIME, self._pointer, None)

    def _arm_loop(self, due_s: float) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
        loop = get_hub().loop
        loop.update_now()  # a timer counts from when the loop looked at the clock last
        self._watcher = loop.timer(max(due_s - clock() - _SPIN_S, 0.0))
        self._watcher.start(self._on_time)

    def _on_time(self) -> None:
        if self._file is None:
            self._spin()
        else:
            try:
                os.read(self._file, 8)
            except BlockingIOError:
                return
        queue = self._queue
        while queue and queue[0][0] <= clock():
            queue.popleft()[1]()
            queue = self._queue
        if queue:
            self._arm(queue[0][0])

    def _spin(self) -> None:
        """To the head's due time, where that is as near as it should be when the loop's timer rings."""
        due_s = self._queue[0][0] if self._queue else 0.0
        if due_s - clock() <= _SPIN_S:
            while clock() < due_s:
                pass
