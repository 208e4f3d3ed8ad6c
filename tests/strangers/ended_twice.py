"""Two ask for the end at once, users take a while to leave, and a listener takes a while to hear of it."""

import gevent
from locust import HttpUser, constant, events, task


class Ended(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")

    def on_stop(self):
        gevent.sleep(0.3)


@events.test_stop.add_listener
def slowly(**_):
    gevent.sleep(2)


@events.test_start.add_listener
def end_soon(environment, **_):
    for seconds in (1.0, 1.1, 1.5, 2.0):
        gevent.spawn_later(seconds, environment.runner.quit)
