"""Who waits for a due time wakes at it, in order, with Linux's timer and without."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

CODE = """
import gevent, sys
from time import perf_counter as clock
from scorebench.plugin.users.waker import Waker
waker = Waker(timerfd=sys.argv[1] == "timerfd")
woken = []
def wait(name, due_s):
    waker.wait_until(due_s)
    woken.append((name, clock() - due_s))
now = clock()
times = {"a": .05, "c": .15, "b": .1, "d": 60}
waiting = [gevent.spawn(wait, name, now + after) for name, after in times.items()]
gevent.sleep(0)
near = [waker.is_near(0.04), waker.is_near(0.06)]
gevent.joinall(waiting[:3], timeout=10)
still = waker.waiting
waker.wake_all()
gevent.joinall(waiting, timeout=10)
print([woken, near, still, waker.waiting])
waker.close()
"""


@pytest.mark.parametrize("timer", ["timerfd", "the loop's"])
def test_waiters_wake_in_order_and_none_early(timer: str) -> None:
    """a, b, c at their times and not before; d, due in a minute, when all are woken; then nobody waits."""
    if timer == "timerfd" and sys.platform != "linux":
        pytest.skip("timerfd is Linux's")
    said = subprocess.run(
        [sys.executable, "-c", CODE, timer], capture_output=True, check=True, text=True, timeout=60
    )
    woken, near, still, after = ast.literal_eval(said.stdout)
    assert [name for name, _ in woken] == ["a", "b", "c", "d"]
    assert all(late_s >= 0 for _, late_s in woken[:3])
    assert woken[3][1] < -30
    assert near == [False, True]
    assert (still, after) == (True, False)
