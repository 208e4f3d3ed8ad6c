"""Many ways to make calls, each by a user of its own, and each on a path that the server logs."""

import contextlib
import time

import gevent
import gevent.pool
import requests
from locust import FastHttpUser, HttpUser, TaskSet, User, constant, events, task
from locust.clients import HttpSession
from locust.exception import InterruptTaskSet, RescheduleTask, ResponseError, StopUser


def direct(user, path, name, **given):
    """A call of the library requests, reported as people report it."""
    began, error, answer = time.perf_counter(), None, None
    try:
        answer = requests.post(user.host + path, data=b"{}", **given)
        answer.raise_for_status()
    except requests.RequestException as problem:
        error = problem
    events.request.fire(
        request_type="requests",
        name=name,
        response_time=(time.perf_counter() - began) * 1e3,
        response_length=0,
        response=answer,
        exception=error,
        context={"user": user},
    )


class NestedPools(HttpUser):
    """A pool of pools: Locust's client and another one, side by side, stopped in the middle."""

    fixed_count = 1

    def inner(self, _):
        pool = gevent.pool.Pool(2)
        pool.spawn(self.client.post, "/takes", name="pool", data="{}")
        pool.spawn(direct, self, "/takes", "pool")
        pool.join()

    @task
    def outer(self):
        gevent.pool.Pool(3).map(self.inner, range(3))


class Interrupting(TaskSet):
    @task
    def interrupt(self):
        with self.client.post("/a", name="interrupt", data="{}", catch_response=True):
            raise InterruptTaskSet


class Leaving(User):
    """`with` blocks that are left in every way."""

    abstract = True
    fixed_count = 1
    wait_time = constant(0.02)

    def post(self, name):
        return self.client.post("/a", name=name, data="{}", catch_response=True)

    @task
    def swallow(self):
        try:
            with self.post("swallow"):
                raise KeyError("x")
        except KeyError:
            pass

    @task
    def reschedule(self):
        with self.post("reschedule"):
            raise RescheduleTask

    @task
    def fail_and_raise(self):
        with self.post("fail and raise") as answer:
            answer.failure("bad")
            raise ValueError("after")

    @task
    def refuse(self):
        with self.post("refuse"):
            raise ResponseError("no")

    @task
    def leave(self):
        for _ in range(2):
            with self.post("leave"):
                break

    @task
    def rename(self):
        with self.post("rename") as answer:
            answer.request_meta["name"] = "renamed"
            answer.request_meta["context"] = {"tenant": "a"}

    @task
    def measure(self):
        direct(self, "/b", "before")
        with self.environment.events.request.measure("M", "measured") as meta:  # of no call
            meta["exception"] = ValueError("set by hand")


class LeavingHttp(Leaving, HttpUser):
    tasks = [*Leaving.tasks, Interrupting]


class LeavingFast(Leaving, FastHttpUser):
    tasks = [*Leaving.tasks, Interrupting]


class StoppingItself(HttpUser):
    fixed_count = 1

    @task
    def stop(self):
        with self.client.post("/a", name="stop", data="{}", catch_response=True):
            raise StopUser


class Streaming(HttpUser):
    """The head of an answer comes, and no body: in a `with` block it is judged, else its event has come."""

    fixed_count = 1

    @task
    def one(self):
        with gevent.Timeout(0.2, False):
            answer = self.client.post("/half", name="half", data="{}", stream=True)
            list(answer.iter_content(1))
        with self.client.post("/half", name="hung", data="{}", stream=True, catch_response=True) as answer:
            list(answer.iter_content(1))


class StreamingFast(FastHttpUser):
    fixed_count = 1

    @task
    def one(self):
        with gevent.Timeout(0.2, False):
            self.client.post("/half", name="half", data="{}", stream=True).stream.read(100)
        with self.client.post("/half", name="hung", data="{}", stream=True, catch_response=True) as answer:
            answer.stream.read(100)


class ManyClients(HttpUser):
    fixed_count = 1
    wait_time = constant(0.05)

    def on_start(self):
        hook = self.environment.events.request
        self.clients = [self.client, HttpSession(self.host, hook, self), HttpSession(self.host, hook, None)]

    @task
    def all(self):
        for number, client in enumerate(self.clients):
            client.post("/a", name=f"client {number}", data="{}")
        direct(self, "/b", "direct")
        direct(self, "/takes", "late", timeout=0.05)


class NotStarting(HttpUser):
    fixed_count = 1

    def on_start(self):
        self.client.post("/a", name="start", data="{}")
        raise ValueError("no login")


class HangingAtTheStart(User):
    fixed_count = 1

    def on_start(self):
        with gevent.Timeout(0.2, False):
            requests.post(self.host + "/slow", data=b"{}")
        requests.post(self.host + "/slow", data=b"{}")

    @task
    def never(self):
        pass


class NotEnding(User):
    """It takes the kill that ends it for the failure of a call, and goes on."""

    fixed_count = 1
    wait_time = constant(0.05)

    @task
    def one(self):
        began = time.perf_counter()
        with contextlib.suppress(BaseException):
            requests.post(self.host + "/takes", data=b"{}")
        events.request.fire(
            request_type="requests",
            name="swallowed",
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=None,
        )
