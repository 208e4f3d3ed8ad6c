"""One call of our own user: send, judge, record. The hottest lines of all, and written once.

Knows connection, session and clock; not when a call is due, or which body is next. It is made of functions
and not of objects: looking up eight attributes for each call would cost 0.2 µs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter as clock
from typing import Protocol

import gevent

from scorebench.answers.http_message import Answer, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.connection import Connection
from scorebench.plugin.users.session import Session
from scorebench.recordings.calls import tag

BACK_OFF_S = 0.01
"""How long a user waits at least after a call that failed at once; after refused connections ever longer."""

Record = tuple[float, float, float, float, float]
"""What a call leaves: due, sent and done on `time.perf_counter`'s clock, tag, payload."""


class Call(Protocol):
    """Sends a body and records what came of it."""

    def __call__(self, index: int, due: float | None = None, waited: bool = False) -> Record:
        """Without `due` the call is due when it is sent.

        `waited` says that the user was free and waited until `due`. A user that is killed meanwhile leaves a
        call that was cut off.
        """
        ...


def caller(
    session: Session,
    connection: Connection,
    number: int,
    judge: Callable[[int, Answer], Outcome] | None = None,
) -> Call:
    """A function that makes the calls of user `number` over its connection and records each.

    `judge` replaces the session's own, for a user that needs the answers.
    """
    counting = session.counting
    send, messages, expected = session.sender(connection), session.messages_of_a_user(), counting.expected
    judge, append = judge or counting.judge, session.recorder(connection, messages)
    valid, valid_waited = (tag(number, Outcome.VALID, waited=waited) for waited in (False, True))
    failed = _failures(session, connection, number, append)

    def call(index: int, due: float | None = None, waited: bool = False) -> Record:
        try:
            message = messages[index]  # it may have to be signed first, and that can fail
        except CallFailed as failure:
            return failed(failure, index, due, clock(), waited)
        sent = clock()
        due = sent if due is None else due
        try:
            answer = send(message, expected[index], sent)
        except CallFailed as failure:
            return failed(failure, index, due, sent, waited)
        except gevent.GreenletExit:
            append((due, sent, clock(), tag(number, Outcome.CUT_OFF, waited=waited), index))
            raise
        done = clock()
        mark = valid_waited if waited else valid
        if answer is not None:
            done = done if answer.stream is None else answer.stream.end_s or done
            mark = tag(number, judge(index, answer), waited=waited)
        record = due, sent, done, mark, index
        append(record)
        return record

    return call


def _failures(
    session: Session, connection: Connection, number: int, append: Callable[[Iterable[float]], None]
) -> Callable[..., Record]:
    """A function that records the failed calls of user `number` by `append`, and pauses before the next.

    The same `append` as for other calls: what is kept besides a call's numbers must be kept of each.
    """

    def failed(failure: CallFailed, index: int, due: float | None, sent: float, waited: bool) -> Record:
        done = clock()
        mark = tag(number, session.failed(failure), waited=waited)
        record = sent if due is None else due, sent, done, mark, index
        append(record)
        pause_s = max(connection.back_off_s, BACK_OFF_S if done - sent < BACK_OFF_S else 0.0)
        if pause_s:
            gevent.sleep(pause_s)
        return record

    return failed
