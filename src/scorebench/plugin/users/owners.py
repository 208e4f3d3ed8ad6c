"""Which user a greenlet works for, and what it did when it was killed. Knows gevent's tree of greenlets;
nothing of requests.

gevent gives each greenlet a dictionary that it shares with the greenlets it spawns (`spawn_tree_locals`). A
user's greenlet gets a copy of its own with the user in it, so whatever the user spawns knows the user too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import gevent
from gevent import Greenlet, getcurrent
from locust import TaskSet, User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, DefaultTaskSet

if TYPE_CHECKING:
    from locust.runners import Runner

_KEY = "scorebench_user"
_SINCE = "scorebench_since_s"
IN_A_TASK = (LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING)


class UserGreenlet(Greenlet):  # type: ignore[misc]
    """What Locust runs a user in; `on_killed` hears of a user that is killed while its task waits.

    Not for one that sleeps: it waits for nobody's answer.
    """

    def __init__(self, on_killed: Callable[[User, Greenlet], None], run: Any, user: User) -> None:
        super().__init__(run, user)
        self._on_killed = on_killed
        inherited: dict[str, Any] = self.spawn_tree_locals or {}
        self.spawn_tree_locals: dict[str, Any] = {**inherited, _KEY: user}

    def throw(self, *args: Any) -> None:
        """End it, as gevent does for `kill`; it also throws timeouts, which do not end a user."""
        user = self.spawn_tree_locals[_KEY]
        if not self.dead and _is_kill(*args) and user._state in IN_A_TASK and _may_call(self):
            self._on_killed(user, self)
        super().throw(*args)


def _is_kill(thrown: Any = gevent.GreenletExit, *_: Any) -> bool:
    kind = thrown if isinstance(thrown, type) else type(thrown)
    return issubclass(kind, gevent.GreenletExit)


def _may_call(greenlet: Greenlet) -> bool:
    """Whether it waits for what may be an answer: not for time (`time.sleep` is gevent's), nor for Locust.

    A user that ends the run (`runner.quit()` in a task) waits for Locust's runner.
    """
    frame = greenlet.gr_frame
    if frame is None or frame.f_code is gevent.sleep.__code__:
        return False
    while frame is not None:
        if frame.f_globals.get("__name__") == "locust.runners":
            return False
        frame = frame.f_back
    return True


def busy_from_now(user: User) -> None:
    """What the user does from now on is something new: a task, or what comes after a call."""
    setattr(user, _SINCE, clock())


def busy_since_s(user: User) -> float:
    """When that was, on `time.perf_counter`'s clock."""
    return float(getattr(user, _SINCE, clock()))


def _noted(execute_task: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @wraps(execute_task)
    def noted(task_set: Any, task: Any) -> None:
        busy_from_now(task_set.user)
        execute_task(task_set, task)

    return noted


for _kind in (TaskSet, DefaultTaskSet):
    _kind.execute_task = _noted(_kind.execute_task)  # type: ignore[method-assign]


def follow(runner: Runner, on_killed: Callable[[User, Greenlet], None]) -> None:
    """Have `runner` start its users in greenlets that know them."""
    runner.user_greenlets.greenlet_class = partial(UserGreenlet, on_killed)


def current_user() -> User | None:
    """The user that the running greenlet, or the one that spawned it, belongs to; None where nobody knows.

    A thread of the system has no such tree, and neither has what Locust itself does.
    """
    known = getattr(getcurrent(), "spawn_tree_locals", None)
    return known.get(_KEY) if known else None


def uninterrupted(work: Callable[[], None]) -> None:
    """Do `work` to its end, even if a user does it who is killed meanwhile.

    A user that stops the run (`runner.quit()` in a task) does all that follows, and Locust kills it as soon
    as it waits for anything. The kill comes again once the work is done.
    """
    if current_user() is None:
        work()
        return
    doing, killed = gevent.spawn(work), False
    while not doing.ready():
        try:
            doing.join()
        except gevent.GreenletExit:
            killed = True
    if killed:
        getcurrent().kill(block=False)
