"""Requests outside of the test: when Locust starts, when the test starts and ends, when Locust leaves."""

import time
import urllib.request

from locust import FastHttpUser, constant, events, task


def post(environment, name):
    began = time.perf_counter()
    request = urllib.request.Request(f"{environment.host}/a", data=b"{}", method="POST")
    urllib.request.urlopen(request).close()
    environment.events.request.fire(
        request_type="POST",
        name=name,
        response_time=(time.perf_counter() - began) * 1e3,
        response_length=0,
        exception=None,
        context={},
    )


@events.init.add_listener
def on_init(environment, **_):
    post(environment, "init")
    post(environment, "init")


@events.test_start.add_listener
def on_start(environment, **_):
    post(environment, "test_start")


@events.test_stop.add_listener
def on_stop(environment, **_):
    post(environment, "test_stop")


@events.quitting.add_listener
def on_quitting(environment, **_):
    post(environment, "quitting")


class Setting(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/b", data="{}")
