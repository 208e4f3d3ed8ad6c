"""Which user a greenlet works for. Knows gevent's tree of greenlets; nothing of requests.

gevent gives each greenlet a dictionary that it shares with the greenlets it spawns (`spawn_tree_locals`). A
user's greenlet gets a copy of its own with the user in it, so whatever the user spawns knows the user too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from gevent import Greenlet, getcurrent
from locust import User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING

if TYPE_CHECKING:
    from locust.runners import Runner

_KEY = "scorebench_user"
IN_A_TASK = (LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING)


class UserGreenlet(Greenlet):  # type: ignore[misc]
    """What Locust runs a user in; `on_killed` hears of a user that is ended in the midst of a task."""

    def __init__(self, on_killed: Callable[[User], None], run: Any, user: User) -> None:
        super().__init__(run, user)
        self._on_killed = on_killed
        inherited: dict[str, Any] = self.spawn_tree_locals or {}
        self.spawn_tree_locals: dict[str, Any] = {**inherited, _KEY: user}

    def throw(self, *args: Any) -> None:
        """End it, as gevent does for `kill`; a user that waits between its tasks loses nothing by it."""
        user = self.spawn_tree_locals[_KEY]
        if not self.dead and user._state in IN_A_TASK:
            self._on_killed(user)
        super().throw(*args)


def follow(runner: Runner, on_killed: Callable[[User], None]) -> None:
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
