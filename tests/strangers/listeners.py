"""Listeners that raise at each request, one of them what stops a user, and one that counts what it heard."""

from locust import HttpUser, constant, events, task
from locust.exception import RescheduleTask

heard = []


@events.request.add_listener
def reschedule(name, **_):
    if name == "/b":
        raise RescheduleTask


@events.request.add_listener
def fail(**_):
    raise ValueError("a listener of mine")


@events.init.add_listener
def on_init(environment, **_):
    environment.events.request.add_listener(lambda name, **_: heard.append(name))


@events.quit.add_listener
def tell(**_):
    print("heard", len(heard))


class Listening(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")

    @task
    def rescheduled(self):
        self.client.post("/b", data="{}")
