"""Decides by itself with what Locust exits, as Locust's documentation shows."""

import os

from locust import HttpUser, constant, events, task


@events.quitting.add_listener
def decide(environment, **_):
    code = os.environ["MY_CODE"]
    environment.process_exit_code = int(code) if code else None


class Deciding(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")

    @task
    def missing(self):
        self.client.post("/nowhere", data="{}")
