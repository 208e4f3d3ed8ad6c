"""Calls of clients that nobody knows, broken off in each way there is: one call each, whatever reports it.

The server here reads what it is sent and never answers, so that each connection is one call that was sent.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.event
import gevent.pool
import pytest
from locust import HttpUser, User, task
from locust.env import Environment

from scorebench.answers.outcome import Outcome
from scorebench.plugin.lifecycle.others import Others
from scorebench.plugin.users.plain import PlainCall

CUT, LATE, VALID = Outcome.CUT_OFF, Outcome.CLIENT_TIMEOUT, Outcome.VALID


class Server:
    """Reads; answers nobody."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.asked = 0
        self._serving = gevent.spawn(self._serve)

    def _serve(self) -> None:
        while True:
            gevent.spawn(self._read, self._listening.accept()[0])

    def _read(self, connection: socket.socket) -> None:
        while connection.recv(1000):
            self.asked += 1

    def close(self) -> None:
        self._serving.kill()
        self._listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


class Base(User):
    """What the users here do it with."""

    abstract = True
    port: int

    def ask(self, timeout_s: float | None = None) -> None:
        """A call of a client of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            connection.sendall(b"{}")
            connection.recv(1000)

    def fire(self, began_s: float, exception: BaseException | None = None) -> None:
        """Report a call."""
        hook: Any = self.environment.events.request
        took_ms = (time.perf_counter() - began_s) * 1e3
        hook.fire(
            request_type="own",
            name="score",
            response_time=took_ms,
            response_length=0,
            exception=exception,
            context={},
        )


def calls_of(server: Server, kind: type[User], *, run_s: float = 0.3) -> list[PlainCall]:
    """What is counted of one user that is killed after a while, as at a test's end."""
    environment = Environment(user_classes=[kind], host=f"http://127.0.0.1:{server.port}")
    runner = environment.create_local_runner()
    others = Others(environment)
    others.open()
    kind.port = server.port  # type: ignore[attr-defined]
    user = kind(environment)
    running = user.start(runner.user_greenlets)
    gevent.sleep(run_s)
    others.stopping()
    running.kill()
    others.close(in_background=True)
    return others._heard.take()


def outcomes_of(server: Server, kind: type[User], **given: Any) -> Counter[Outcome]:
    return Counter(call.ended.outcome for call in calls_of(server, kind, **given))


def test_a_report_in_the_last_moments_is_the_call(server: Server) -> None:
    """`finally` reports the call that the kill ended: one, cut off, though the event names no exception."""

    class Mine(Base):
        @task
        def one(self) -> None:
            began_s = time.perf_counter()
            try:
                self.ask()
            finally:
                self.fire(began_s)

    (call,) = calls_of(server, Mine)
    assert (call.name, call.ended.outcome) == ("score", CUT)


def test_an_event_that_began_after_the_kill_is_another_call(server: Server) -> None:
    """A farewell in `on_stop` does not take the hung call's place."""

    class Mine(Base):
        @task
        def one(self) -> None:
            self.ask()

        def on_stop(self) -> None:
            began_s = time.perf_counter()
            gevent.sleep(0.01)
            self.fire(began_s)

    calls = calls_of(server, Mine)
    assert [(call.name, call.ended.outcome) for call in calls] == [
        ("Mine, stopped in a task", CUT),
        ("score", VALID),
    ]
    assert calls[0].done_s <= calls[1].sent_s


class TooSlow(Exception):
    """What a locustfile may have a timeout raise."""


@pytest.mark.parametrize("raised", [False, None, TooSlow, TooSlow("x")])
def test_giving_up_leaves_a_call(server: Server, raised: Any) -> None:
    """Each of three calls that `gevent.Timeout` ends is a client timeout, whatever it raises."""

    class Mine(Base):
        @task
        def one(self) -> None:
            for _ in range(3):
                try:
                    with gevent.Timeout(0.03, raised):
                        self.ask()
                except (TooSlow, gevent.Timeout):
                    pass
            time.sleep(60)

    calls = calls_of(server, Mine, run_s=0.5)
    assert [call.ended.outcome for call in calls] == [LATE] * 3
    assert {call.name for call in calls} == {"Mine, given up in a task"}
    assert server.asked == 3
    assert all(0.02 < call.done_s - call.sent_s < 0.5 for call in calls)


@pytest.mark.parametrize("reported", [None, TooSlow("late")])
def test_giving_up_that_is_reported_is_one_call(server: Server, reported: Exception | None) -> None:
    """The event stands for the call; without an exception it is a timeout nevertheless."""

    class Mine(Base):
        @task
        def one(self) -> None:
            began_s = time.perf_counter()
            with gevent.Timeout(0.03, False):
                self.ask()
            self.fire(began_s, reported)
            time.sleep(60)

    (call,) = calls_of(server, Mine)
    assert call.name == "score"
    assert call.ended.outcome is (LATE if reported is None else Outcome.OTHER_ERROR)


def test_giving_up_in_a_pool_leaves_a_call_each(server: Server) -> None:
    """Greenlets that a user started give up by themselves."""

    class Mine(Base):
        def give_up(self, _: int) -> None:
            with gevent.Timeout(0.03, False):
                self.ask()

        @task
        def one(self) -> None:
            gevent.pool.Pool(4).map(self.give_up, range(4))
            time.sleep(60)

    assert outcomes_of(server, Mine) == Counter({LATE: 4})


def look(user: Base) -> None:
    """A client looks whether its connection has anything."""
    with socket.create_connection(("127.0.0.1", user.port)) as connection:
        select.select([connection], [], [], 0.01)


def read_for_a_moment(user: Base) -> None:
    """A timeout of the socket raises what clients expect."""
    with pytest.raises(TimeoutError):
        user.ask(timeout_s=0.01)


def wait_for_an_event(user: Base) -> None:
    gevent.event.Event().wait(0.01)


def give_up_on_an_event(user: Base) -> None:
    """A queue, a barrier: no call is under way there."""
    with gevent.Timeout(0.01, False):
        gevent.event.Event().wait()


def give_up_sleeping(user: Base) -> None:
    with gevent.Timeout(0.01, False):
        time.sleep(1)


@pytest.mark.parametrize(
    "act", [look, read_for_a_moment, wait_for_an_event, give_up_on_an_event, give_up_sleeping]
)
def test_timeouts_that_end_no_call(server: Server, act: Callable[[Base], None]) -> None:
    """gevent's own timeouts return to the client that asked for them; it reports the call, or fails."""

    class Mine(Base):
        @task
        def one(self) -> None:
            act(self)
            time.sleep(60)

    assert not calls_of(server, Mine)


def test_calls_in_the_background_are_counted_once(server: Server) -> None:
    """Two in a pool that the task waits for, one that the task leaves alone, one that the user kills."""

    class Mine(Base):
        def on_start(self) -> None:
            self.alone = gevent.spawn(self.ask)
            self.killed = gevent.spawn(self.ask)

        @task
        def one(self) -> None:
            try:
                gevent.joinall([gevent.spawn(self.ask), gevent.spawn(self.ask)])
            finally:
                self.killed.kill()

    calls = calls_of(server, Mine)
    assert Counter((call.name, call.ended.outcome) for call in calls) == Counter(
        {("Mine, stopped in the background", CUT): 4}
    )
    assert server.asked == 4


def test_greenlets_that_are_killed_while_the_run_goes_on_had_calls(server: Server) -> None:
    """The user's own and those of its pool: one call each. One that sleeps and one that ended have none."""

    class Mine(Base):
        @task
        def one(self) -> None:
            pool = gevent.pool.Pool(2)
            pool.spawn(self.ask)
            others = [gevent.spawn(self.ask), gevent.spawn(time.sleep, 60), gevent.spawn(time.sleep, 0)]
            gevent.joinall(others, timeout=0.05)
            gevent.killall(others)
            pool.kill()
            alone = gevent.spawn(self.ask)
            gevent.sleep(0.05)
            alone.kill()
            time.sleep(60)

    calls = calls_of(server, Mine)
    assert Counter((call.name, call.ended.outcome) for call in calls) == Counter(
        {("Mine, stopped in the background", CUT): 3}
    )
    assert server.asked == 3


def test_a_killed_greenlet_that_reports_has_one_call(server: Server) -> None:
    """`finally` fires the event of the call that the kill ended."""

    class Mine(Base):
        def asking(self) -> None:
            began_s = time.perf_counter()
            try:
                self.ask()
            finally:
                self.fire(began_s)

        @task
        def one(self) -> None:
            one = gevent.spawn(self.asking)
            gevent.sleep(0.05)
            one.kill()
            time.sleep(60)

    (call,) = calls_of(server, Mine)
    assert (call.name, call.ended.outcome) == ("score", CUT)


def test_who_waits_for_others_has_no_call() -> None:
    """A user of one of Locust's clients at a barrier: all its calls are seen. One of another may have one."""

    def waiting(kind: type[User]) -> list[PlainCall]:
        made = Server()
        try:
            return calls_of(made, kind)
        finally:
            made.close()

    class Seen(HttpUser):
        host = "http://127.0.0.1"

        @task
        def one(self) -> None:
            gevent.event.Event().wait()

    class Unseen(Base):
        @task
        def one(self) -> None:
            gevent.event.Event().wait()

    assert not waiting(Seen)
    assert [call.ended.outcome for call in waiting(Unseen)] == [CUT]
