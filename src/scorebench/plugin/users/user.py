"""The Locust user that posts payloads to a scoring server: when it calls, and until when. A hot loop.

Knows Locust's User and the session of the run; what a call does is the caller's.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from time import perf_counter as clock
from typing import Any

import gevent
from locust import User, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING

from scorebench.load.schedule import Schedule
from scorebench.plugin.users.caller import Call, caller
from scorebench.plugin.users.session import Session, session_of
from scorebench.plugin.users.share import Share


class ScoringUser(User):
    """Posts the run's payloads over one kept-alive connection, one call after the other, as fast as answered.

    With `--rate` or `--arrivals` it takes a ticket for each call and waits for its due time. Subclass it in a
    locustfile; nothing needs to be defined. `wait_time` is not used: think time hides what a server does.
    """

    abstract = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Import what encodes payloads, before Locust forks workers that would each import it again.

        One process imports it when it reads rows: bodies that are ready need none of it.
        """
        super().__init_subclass__(**keywords)
        if "LOCUST_PROCESSES" in os.environ or any(word.startswith("--processes") for word in sys.argv):
            import_module("pandas")

    def on_start(self) -> None:
        """Take a number and a connection."""
        self._session: Session | None = session_of(self.environment)
        if self._session is None:
            return  # the test was refused: `score` leaves
        self.number = self._session.sending.next_user()
        self.connection = self._session.sending.new_connection()

    def on_stop(self) -> None:
        """Close the connection and say what it went through."""
        if self._session is not None:
            self._session.sending.leave(self.connection)

    @task
    def score(self) -> None:
        """Call until the run is over, the calls are used up, or Locust stops this user."""
        session = self._session
        if session is None:
            raise StopUser
        self.connection.open()
        session.sending.wait_for_start()
        self.send_calls(session)
        if self._state == LOCUST_STATE_RUNNING:
            session.sending.finished_user()
            raise StopUser

    def send_calls(self, session: Session) -> None:
        """Call until there is nothing left to send, outside of Locust's task loop: it costs 5 µs a turn."""
        call = caller(session, self.connection, self.number)
        share, more = session.sending.share, True
        while more:
            if share.schedule is None:
                self._call_closed(share, call)
            else:
                self._call_open(share, share.schedule, call)
            more = session.sending.wait_for_more(lambda: self._state == LOCUST_STATE_RUNNING)

    def _call_closed(self, share: Share, call: Call) -> None:
        """Closed loop: a call is due when the last one was answered."""
        next_payload = share.payloads.__next__
        while share.running and self._state == LOCUST_STATE_RUNNING:
            try:
                index = next_payload()
            except StopIteration:
                return
            call(index)

    def _call_open(self, share: Share, schedule: Schedule, call: Call) -> None:
        """Open loop: a call is due when its ticket says, whether or not a user is free."""
        take = schedule.take
        while share.running and self._state == LOCUST_STATE_RUNNING:
            ticket = take()
            if ticket is None:
                return
            due, index = ticket
            waited = due > clock()
            if waited and not _wait(share, schedule, ticket):
                return
            call(index, due, waited)


def _wait(share: Share, schedule: Schedule, ticket: tuple[float, int]) -> bool:
    """Wait for the due time; False where the run ended meanwhile, or all calls are held.

    A user that Locust stops meanwhile makes this one call still: no other user has its ticket.
    """
    try:
        share.waker.wait_until(ticket[0])
    except gevent.GreenletExit:
        schedule.give_back(ticket)
        raise
    if not share.running:
        schedule.give_back(ticket)
    return share.running
