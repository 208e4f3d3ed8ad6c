"""Which user a greenlet works for, and who breaks off what it does. Knows gevent's tree of greenlets and its
timeouts; nothing of requests.

gevent gives each greenlet a dictionary that it shares with the greenlets it spawns (`spawn_tree_locals`). A
user's greenlet gets a copy of its own with the user in it, so whatever the user spawns knows the user too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import gevent
from gevent import Greenlet, Timeout, getcurrent
from gevent.pool import Group
from locust import TaskSet, User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, DefaultTaskSet

if TYPE_CHECKING:
    from locust.runners import Runner

_KEY = "scorebench_user"
_LISTENER = "scorebench_listener"
_SINCE = "scorebench_since_s"
IN_A_TASK = (LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING)

OnBrokenOff = Callable[[User, Greenlet, BaseException], None]
"""Called before a greenlet of that user gets the exception, which ends what it waits for."""


class UserGreenlet(Greenlet):  # type: ignore[misc]
    """What Locust runs a user in; `on_broken_off` hears of a user that is killed in a task."""

    def __init__(self, on_broken_off: OnBrokenOff, run: Any, user: User) -> None:
        super().__init__(run, user)
        self.is_killed = False
        inherited: dict[str, Any] = self.spawn_tree_locals or {}
        self.spawn_tree_locals: dict[str, Any] = {**inherited, _KEY: user, _LISTENER: on_broken_off}

    def throw(self, *args: Any) -> None:
        """End it, as gevent does for `kill`; it also throws timeouts, which do not end a user."""
        if _is_kill(*args):
            self.is_killed = True
            if self.spawn_tree_locals[_KEY]._state in IN_A_TASK:
                _tell(self, gevent.GreenletExit())
        super().throw(*args)


class SpawnedGreenlet(Greenlet):  # type: ignore[misc]
    """What `gevent.spawn` and pools start. A kill of one that works for a user ends its call."""

    def throw(self, *args: Any) -> None:
        """End it, as gevent does for `kill`."""
        if _is_kill(*args):
            _tell(self, gevent.GreenletExit())
        super().throw(*args)


gevent.spawn, gevent.spawn_later = SpawnedGreenlet.spawn, SpawnedGreenlet.spawn_later
Group.greenlet_class = SpawnedGreenlet


def _is_kill(thrown: Any = gevent.GreenletExit, *_: Any) -> bool:
    kind = thrown if isinstance(thrown, type) else type(thrown)
    return issubclass(kind, gevent.GreenletExit)


def _tell(greenlet: Greenlet, error: BaseException) -> None:
    known = getattr(greenlet, "spawn_tree_locals", None) or {}
    if _LISTENER in known and not greenlet.dead:
        known[_LISTENER](known[_KEY], greenlet, error)


def _announced(on_expiration: Callable[..., None]) -> Callable[..., None]:
    """The time of a `gevent.Timeout` is up. gevent's own, as those of `select` and of sockets, end nothing:
    its functions return then, or raise what clients expect."""

    @wraps(on_expiration)
    def expire(timeout: Timeout, greenlet: Greenlet, error: Any) -> None:
        if not timeout._one_shot:
            _tell(greenlet, timeout)
        on_expiration(timeout, greenlet, error)

    return expire


Timeout._on_expiration = _announced(Timeout._on_expiration)


def busy_from_now() -> None:
    """What the running greenlet does from now on is something new: a task, or what comes after a call."""
    setattr(getcurrent(), _SINCE, clock())


def since_s(greenlet: Greenlet) -> float:
    """When that was, on `time.perf_counter`'s clock; for one that a user started, at least for that user."""
    user = user_of(greenlet)
    for one in (greenlet, user and user._greenlet):
        if (began_s := getattr(one, _SINCE, None)) is not None:
            return float(began_s)
    return clock()


def _noted(execute_task: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @wraps(execute_task)
    def noted(task_set: Any, task: Any) -> None:
        if getattr(getcurrent(), "is_killed", False):
            raise gevent.GreenletExit  # a task took its kill for the failure of a call, and Locust would wait
        busy_from_now()
        execute_task(task_set, task)

    return noted


for _kind in (TaskSet, DefaultTaskSet):
    _kind.execute_task = _noted(_kind.execute_task)  # type: ignore[method-assign]


def follow(runner: Runner, on_broken_off: OnBrokenOff) -> None:
    """Have `runner` start its users in greenlets that know them."""
    runner.user_greenlets.greenlet_class = partial(UserGreenlet, on_broken_off)


def current_user() -> User | None:
    """The user that the running greenlet belongs to."""
    return user_of(getcurrent())


def user_of(greenlet: Any) -> User | None:
    """The user that a greenlet, or the one that spawned it, belongs to; None where nobody knows.

    A thread of the system has no such tree, and neither has what Locust itself does.
    """
    known = getattr(greenlet, "spawn_tree_locals", None)
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
