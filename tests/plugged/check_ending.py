"""Who ends a test: once, whatever asks for it."""

from __future__ import annotations

from typing import Any

import gevent
from locust.event import Events
from locust.runners import MasterRunner

from scorebench.plugin.lifecycle.ending import Ending


class _Runner:
    """As Locust's, which calls itself running while the calls in flight are waited for."""

    state = "running"
    quits = 0

    def quit(self) -> None:
        self.quits += 1
        gevent.sleep(0.05)
        self.state = "stopped"


class _Environment:
    web_ui = None

    def __init__(self) -> None:
        self.runner = _Runner()
        self.events = Events()  # type: ignore[no-untyped-call]


class _Master(MasterRunner):
    """As Locust's, which calls a test stopped whose workers are all lost, and then stops it no more."""

    def __init__(self) -> None:
        self.state, self.quits = "stopped", 0

    def update_state(self, new_state: str) -> None:
        self.state = new_state

    def quit(self) -> None:
        self.quits += self.state == "running"


def test_time_and_last_call_end_a_test_once() -> None:
    """Both come within the same moment: Locust would stop each user twice, and raise."""
    environment: Any = _Environment()
    ending = Ending(environment, lambda: 0.01)
    ending.count_from_now()
    gevent.sleep(0.005)
    ending.soon()
    gevent.sleep(0.1)
    assert environment.runner.quits == 1


def test_another_test_is_ended_too() -> None:
    """With Locust's page a test comes after the other."""
    environment: Any = _Environment()
    ending = Ending(environment, lambda: None)
    for ended in (1, 2):
        environment.runner.state = "running"
        ending.soon()
        gevent.sleep(0.1)
        assert environment.runner.quits == ended


def test_a_test_whose_workers_are_all_lost_is_ended() -> None:
    """Once it has begun, and until Locust stops it."""
    environment: Any = _Environment()
    master = environment.runner = _Master()
    ending = Ending(environment, lambda: None)
    for begun, quits in (("", 0), ("test_start", 1), ("test_stopping", 1)):
        if begun:
            getattr(environment.events, begun).fire(environment=environment)
        master.state = "stopped"
        ending.soon()
        gevent.sleep(0.01)
        assert master.quits == quits, begun
