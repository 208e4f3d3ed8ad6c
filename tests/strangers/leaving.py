"""A task that ends Python itself, of which Locust makes no report."""

import sys

from locust import HttpUser, constant, task


class Leaving(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")
        self.environment.count = getattr(self.environment, "count", 0) + 1
        if self.environment.count == 10:
            sys.exit(7)
