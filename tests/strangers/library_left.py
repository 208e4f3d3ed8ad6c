"""Locust as a library, in a script that ends while its test runs."""

import os

import gevent
from locust import HttpUser, constant, events, task
from locust.env import Environment


class Used(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")


if __name__ == "__main__":
    environment = Environment(user_classes=[Used], events=events, host=os.environ["HOST"])
    environment.create_local_runner().start(2, spawn_rate=10)
    gevent.sleep(1)
