"""A task of many requests, that Locust ends in its midst after --stop-timeout."""

import gevent
from locust import HttpUser, task


class Slow(HttpUser):
    @task
    def many(self):
        for _ in range(100):
            self.client.post("/a", data="{}")
            gevent.sleep(0.1)
