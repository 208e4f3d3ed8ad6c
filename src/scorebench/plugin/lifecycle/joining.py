"""Lets workers in while a test runs, once they can send it; and has Locust spread its users over all of them.

Knows Locust's master and its greeting; nothing of what is dealt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, MasterRunner

from scorebench.cluster import locust_messages
from scorebench.errors import in_one_line
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.muster import Muster

MOST_TOLD = 20
"""Messages without sense that are logged one by one."""
logger = logging.getLogger("scorebench")


class Joining:
    """Stands between a worker's greeting and Locust, which would give it users at once."""

    def __init__(
        self,
        runner: MasterRunner,
        muster: Muster,
        *,
        is_running: Callable[[], bool],
        on_join: Callable[[str], None],
        on_all_lost: Callable[[], None],
        on_senseless: Callable[[str, str], None],
    ) -> None:
        """`on_join` hears of a worker that may send, before any user is started there.

        `on_senseless` hears of a worker that said what can't be meant, and what is wrong with it.
        """
        self._runner, self._muster, self._on_all_lost = runner, muster, on_all_lost
        self._on_senseless, self._senseless = on_senseless, 0
        self._is_running, self._on_join = is_running, on_join
        self._listener: Any = None
        self._spreading: gevent.Greenlet | None = None
        self._again = False
        self._handle_as_ever, self._start_as_ever = runner.handle_message, runner.start
        runner.handle_message = self._handle  # type: ignore[method-assign]
        runner.start = self._start  # type: ignore[method-assign]

    def spread(self) -> None:
        """Have Locust spread the users over the workers that are there, soon."""
        self._again = True
        if self._spreading is None or self._spreading.dead:
            self._spreading = gevent.spawn(self._spread)

    def lock_out(self, name: str, *, for_good: bool) -> None:
        """Have Locust give a worker's users to the others; `for_good`: it does not come back."""
        client, dispatcher = self._runner.clients.get(name), self._runner._users_dispatcher
        if client is None:
            if not self._runner.clients:  # Locust has missed it before
                self._on_all_lost()
            return
        if client.state != STATE_MISSING and dispatcher is not None:
            dispatcher.remove_worker(client)
        client.state, client.user_classes_count = STATE_MISSING, {}
        if for_good:
            del self._runner.clients[name]
        if self._runner.worker_count:
            self.spread()
        elif not self._runner.clients:
            self._on_all_lost()

    def end(self) -> None:
        """The test stops: no user is started any more."""
        self._again = False
        if self._spreading is not None:
            self._spreading.kill(block=False)

    def _spread(self) -> None:
        while self._again and self._runner.state in (STATE_RUNNING, STATE_SPAWNING):
            self._again = False
            self._start_as_ever(self._runner.target_user_count, self._runner.spawn_rate)

    def _start(self, *args: Any, **kwargs: Any) -> None:
        """Locust's `start`. It waits a second for reports; who reads the reports must not wait for it."""
        if gevent.getcurrent() is self._listener:
            self.spread()
        else:
            self._start_as_ever(*args, **kwargs)

    def _handle(self, client_id: str, msg: Any) -> None:
        self._listener = gevent.getcurrent()
        try:
            locust_messages.check(msg.type, msg.data, client_id)
            self._handle_well(client_id, msg)
        except Exception as problem:  # whatever it is: the others must still be heard
            self._senseless += 1
            why = in_one_line(f"{type(problem).__name__}: {problem}"[:200])
            if self._senseless <= MOST_TOLD:
                logger.error("scorebench: a message of worker %s makes no sense: %s", client_id, why)
            self._on_senseless(client_id, why)

    def _handle_well(self, client_id: str, msg: Any) -> None:
        if msg.type == "client_ready" and self._is_running() and client_id not in self._runner.clients:
            # Without an answer it would not go on to load its locustfile.
            self._runner.send_message(
                "ack", client_id=client_id, data={"index": self._runner.get_worker_index(client_id)}
            )
            gevent.spawn(self._let_in, client_id, msg)
        elif msg.type in messages.OF_WORKERS:
            listener, _ = self._runner.custom_messages[msg.type]
            listener(environment=self._runner.environment, msg=msg)  # Locust would log a traceback of ours
        elif msg.type != "stats" or client_id in self._runner.clients or client_id in self._muster.known:
            self._handle_as_ever(client_id, msg)  # Locust would count the reports of strangers too

    def _let_in(self, client_id: str, msg: Any) -> None:
        if fault := self._muster.fault(client_id):
            logger.error("scorebench: not let in: %s", fault)
            self._runner.send_message("quit", client_id=client_id)
        elif self._is_running():
            self._on_join(client_id)
            self._handle_as_ever(client_id, msg)
            self.spread()
