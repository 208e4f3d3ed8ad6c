"""What the request event and Locust's own clients tell of calls, without a server: how each call ended."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from locust import User
from locust.env import Environment

from scorebench.answers.outcome import Outcome
from scorebench.plugin.lifecycle.heard import Heard as HeardOf
from scorebench.plugin.lifecycle.messages import Beat
from scorebench.plugin.lifecycle.others import Others
from scorebench.plugin.users import failures, plain


def fire(environment: Environment, **given: Any) -> None:
    """A request event as a locustfile fires it."""
    usual: dict[str, Any] = {"request_type": "own", "name": "score", "response_length": 0, "exception": None}
    hook: Any = environment.events.request
    hook.fire(**{**usual, "response_time": 1.0, "context": {}, **given})


def of_urllib3(number: int) -> Exception:
    """As requests reports what urllib3 met: nested twice."""
    import requests
    import urllib3

    pool: Any = urllib3.HTTPConnectionPool("127.0.0.1")
    inner = urllib3.exceptions.NewConnectionError(pool, "no new connection")
    inner.__cause__ = OSError(number, os.strerror(number))
    try:
        try:
            raise urllib3.exceptions.MaxRetryError(pool, "/", inner)
        except urllib3.exceptions.MaxRetryError as error:
            raise requests.ConnectionError(error) from None
    except requests.ConnectionError as error:
        return error


def as_cause(number: int) -> Exception:
    """As clients raise their own error `from` that of the socket."""
    error = RuntimeError("could not connect")
    error.__cause__ = OSError(number, os.strerror(number))
    return error


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS])
@pytest.mark.parametrize("made", [lambda number: OSError(number, "x"), as_cause])
def test_a_limit_of_this_process_is_told_apart(number: int, made: Any) -> None:
    """Files, ports and memory that run out are the generator's, whatever client meets it: as for our own."""
    environment = Environment()
    heard = plain.hear(environment.events.request)
    fire(environment, exception=made(number))
    (call,) = heard.take()
    assert call.ended.outcome is Outcome.CONNECTION_FAILED
    assert call.ended.is_own_limit
    assert call.ended.why.startswith("a limit of the load generator: [Errno")


def test_a_limit_that_requests_wraps_is_told_apart() -> None:
    """The error that Locust got of requests holds urllib3's, which holds the socket's."""
    assert failures.ended_by(of_urllib3(errno.EMFILE)).is_own_limit
    assert failures.ended_by(RuntimeError("?"), of_urllib3(errno.ENFILE)).is_own_limit


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(errno.ECONNREFUSED, "x"), OSError("x"), "[Errno 24]"]
)
def test_what_a_server_can_cause_is_no_limit_of_ours(error: object) -> None:
    """Refused connections, errors without a number, and text, which a server may have written."""
    assert not failures.ended_by(error).is_own_limit


def test_beats_count_the_calls_of_other_users() -> None:
    """Two calls heard and three taken before are five; those of the test before are none."""
    environment = Environment()
    others = Others(environment)
    fire(environment)
    others.open()
    for _ in range(3):
        fire(environment)
    others.take(_Session())  # type: ignore[arg-type]
    fire(environment)
    fire(environment)
    assert others.done == 5
    others.open()
    assert others.done == 0


def test_a_reset_forgets_what_was_heard_and_not_taken_yet() -> None:
    """Two calls came before Locust's statistics were reset, and one after: one is counted of three."""
    environment = Environment()
    others = Others(environment)
    others.open()
    fire(environment)
    fire(environment)
    others.forget()
    fire(environment)
    batch = others.take(_Session())  # type: ignore[arg-type]
    assert batch is not None
    assert len(batch.calls) == 1
    assert others.done == 3


def test_a_lost_worker_may_have_sent_what_its_users_have_in_flight() -> None:
    """Told of 10 of 14 calls, 24 in flight, and 20 a second for half a second: at most 4 + 24 + 11."""
    heard = HeardOf(at_s=0.0)
    heard.reported = 10
    heard.heard(Beat(1, 4, 24), 0.5)  # 8/s
    heard.heard(Beat(2, 14, 24), 1.0)  # 20/s
    assert heard.most_lost(1.5, None) == 4 + 24 + 11


def test_what_a_lost_worker_sent_while_its_master_stood_still_counts() -> None:
    """20 a second until 1 s, all reported; found dead at 15.5 s by a master that had not run for 14 s.

    It may have sent until then: at most 14.5 x 20 + 1, and 24 in flight. A beat ends the excuse.
    """
    heard = HeardOf(at_s=0.0)
    heard.reported = 14
    heard.heard(Beat(1, 4, 24), 0.5)
    heard.heard(Beat(2, 14, 24), 1.0)
    heard.excuse(14.0)
    assert heard.most_lost(15.5, None) == 291 + 24
    heard.heard(Beat(3, 14, 24), 15.5)
    assert heard.most_lost(15.5, None) == 1 + 24


def test_a_worker_that_is_lost_at_once_is_measured_by_the_others() -> None:
    """One beat, 0.4 s ago, and another worker with 50/s: at most 2 x 50 x 0.4 + 1, and 4 in flight.

    Without any other, nobody knows.
    """
    heard = HeardOf(at_s=0.0)
    heard.heard(Beat(1, 0, 4), 0.1)
    assert heard.most_lost(0.5, 50.0) == 41 + 4
    assert heard.most_lost(0.5, None) is None
    assert heard.most_lost(0.5, 0.0) is None


class _Session:
    """What `Others.take` needs of a session."""

    class counting:
        epoch_s = 0.0

    class sending:
        @staticmethod
        def next_number() -> int:
            return 0


def test_calls_of_a_user_are_its_own() -> None:
    """A user in the event's context is the one that made the call."""
    environment = Environment()
    heard = plain.hear(environment.events.request)
    user = User(environment)
    fire(environment, context={"who": user})
    assert heard.take()[0].user is user


@pytest.mark.parametrize("time_ms", [None, -5, float("nan"), float("inf"), 1e300, 10**400, "soon", 1e9, []])
def test_a_time_that_cannot_be_is_none(time_ms: Any) -> None:
    """No number, negative, or longer than the process lives (11 days): valid, and without a time."""
    environment = Environment()
    heard = plain.hear(environment.events.request)
    fire(environment, response_time=time_ms)
    (call,) = heard.take()
    assert call.ended.outcome is Outcome.NO_RESPONSE_TIME
    assert call.done_s == call.sent_s


class Raising(Exception):
    """As exceptions of clients that format what they never got."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __bool__(self) -> bool:
        raise ValueError("no truth")


class Unread:
    """As a lazy response whose connection is gone."""

    @property
    def status_code(self) -> int:
        raise OSError("gone")


@pytest.mark.parametrize(
    "given", [{"exception": Raising()}, {"name": Raising()}, {"exception": "x", "response": Unread()}]
)
def test_an_event_that_cannot_be_read_is_a_failed_call(given: dict[str, Any]) -> None:
    """What it names raises when it is looked at: in doubt, the call has failed."""
    environment = Environment()
    heard = plain.hear(environment.events.request)
    fire(environment, **given)
    (call,) = heard.take()
    assert call.ended.outcome is Outcome.OTHER_ERROR
    assert call.ended.why.startswith("its event can't be read: ")


def test_names_that_are_no_text_are_names() -> None:
    """Locust's own table fails to sort them; ours shows them as text."""
    environment = Environment()
    heard = plain.hear(environment.events.request)
    for name in (None, 12, ("a", "b")):
        fire(environment, name=name)
    assert [call.name for call in heard.take()] == ["None", "12", "('a', 'b')"]
