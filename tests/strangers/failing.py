"""Calls that fail before they are answered: refused, too late, closed."""

import os

from locust import FastHttpUser, HttpUser, constant, task

NOBODY = os.environ["NOBODY"]


class Failing(HttpUser):
    wait_time = constant(0.05)

    @task
    def refused(self):
        self.client.post(f"{NOBODY}/refused", data="{}", name="refused")

    @task
    def late(self):
        self.client.post("/slow", data="{}", timeout=0.2, name="late")

    @task
    def closed(self):
        self.client.post("/closed", data="{}", name="closed")

    @task
    def reset(self):
        self.client.post("/reset", data="{}", name="reset")


class FastFailing(FastHttpUser):
    wait_time = constant(0.05)
    network_timeout = 0.2
    max_retries = 0

    @task
    def refused(self):
        self.client.post(f"{NOBODY}/refused", data="{}", name="fast refused")

    @task
    def late(self):
        self.client.post("/slow", data="{}", name="fast late")

    @task
    def closed(self):
        self.client.post("/closed", data="{}", name="fast closed")

    @task
    def reset(self):
        self.client.post("/reset", data="{}", name="fast reset")
