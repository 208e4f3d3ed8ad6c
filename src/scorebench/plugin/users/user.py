"""The Locust user that posts payloads to a scoring server: the hot loop, and nothing else in it.

Knows Locust's User, the connection and the session of the run; nothing of statistics or files.
"""

from __future__ import annotations

from time import perf_counter as clock
from typing import Any

import gevent
from locust import User, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.load.schedule import Schedule
from scorebench.plugin.users.session import Session, session_of
from scorebench.recordings.calls import tag


class ScoringUser(User):
    """Posts the run's payloads over one kept-alive connection, one call after the other, as fast as answered.

    With `--rate` or `--arrivals` it takes a ticket for each call and waits for its due time. Subclass it in a
    locustfile; nothing needs to be defined. `wait_time` is not used: think time hides what a server does.
    """

    abstract = True

    def on_start(self) -> None:
        """Take a number and a connection."""
        self._session: Session | None = session_of(self.environment)
        if self._session is None:
            return  # the test was refused: `score` leaves
        self.number = self._session.next_user()
        self.connection = self._session.new_connection()

    def on_stop(self) -> None:
        """Close the connection and say what it went through."""
        if self._session is not None:
            self._session.leave(self.connection)

    @task
    def score(self) -> None:
        """Call until the run is over, the calls are used up, or Locust stops this user."""
        session = self._session
        if session is None:
            raise StopUser
        self.connection.open()
        session.wait_for_start()
        self.send_calls(session)
        if self._state == LOCUST_STATE_RUNNING:
            session.finished_user()
            raise StopUser

    def send_calls(self, session: Session) -> None:
        """Call until there is nothing left to send, outside of Locust's task loop: it costs 5 µs a turn."""
        if session.schedule is None:
            self._call_closed(session)
        else:
            self._call_open(session)

    def _call_closed(self, session: Session) -> None:
        """Closed loop: a call is due when the last one was answered."""
        append, call, next_payload = session.numbers.extend, self.connection.call, session.payloads.__next__
        messages, expected = session.messages, session.expected
        valid = tag(self.number, Outcome.VALID)
        while session.running and self._state == LOCUST_STATE_RUNNING:
            try:
                index = next_payload()
            except StopIteration:
                return
            try:
                message = messages[index]  # which may have to be signed first
            except CallFailed as failure:
                self._failed(session, failure, now := clock(), now, index)
                continue
            sent = clock()
            try:
                answer = call(message, expected[index], sent)
            except CallFailed as failure:
                self._failed(session, failure, sent, sent, index)
                continue
            except gevent.GreenletExit:
                append((sent, sent, clock(), tag(self.number, Outcome.CUT_OFF), index))
                raise
            done = clock()
            if answer is None:
                append((sent, sent, done, valid, index))
            else:
                append((sent, sent, done, tag(self.number, session.judge(index, answer)), index))

    def _call_open(self, session: Session) -> None:
        """Open loop: a call is due when its ticket says, whether or not a user is free."""
        append, call, schedule = session.numbers.extend, self.connection.call, session.schedule
        assert schedule is not None
        while session.running and self._state == LOCUST_STATE_RUNNING:
            ticket = schedule.take()
            if ticket is None:
                return
            due, index = ticket
            waited = due > clock()
            if waited and not self._wait(session, schedule, ticket):
                return
            try:
                message = session.messages[index]
            except CallFailed as failure:
                self._failed(session, failure, due, clock(), index, waited=waited)
                continue
            sent = clock()
            try:
                answer = call(message, session.expected[index], sent)
            except CallFailed as failure:
                self._failed(session, failure, due, sent, index, waited=waited)
                continue
            except gevent.GreenletExit:
                append((due, sent, clock(), tag(self.number, Outcome.CUT_OFF, waited=waited), index))
                raise
            done = clock()
            outcome = Outcome.VALID if answer is None else session.judge(index, answer)
            append((due, sent, done, tag(self.number, outcome, waited=waited), index))

    def _wait(self, session: Session, schedule: Schedule, ticket: tuple[float, int]) -> bool:
        """Wait for the due time; False where the run ended meanwhile.

        A user that Locust stops meanwhile makes this one call still: no other user has its ticket.
        """
        try:
            session.waker.wait_until(ticket[0])
        except gevent.GreenletExit:
            schedule.give_back(ticket)
            raise
        if not session.running:
            schedule.give_back(ticket)
        return session.running

    def _failed(
        self, session: Session, failure: CallFailed, due: float, sent: float, index: int, **flags: Any
    ) -> None:
        done = clock()
        outcome = session.failed(failure)
        session.numbers.extend((due, sent, done, tag(self.number, outcome, **flags), index))
        if done - sent < session.BACK_OFF_S:  # refused at once: don't hammer a corpse
            gevent.sleep(session.BACK_OFF_S)
