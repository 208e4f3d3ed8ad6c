"""Locust's own CSV logger beside requests of ours and of its own."""

from locust import HttpUser, constant, events, task
from locust.contrib.csv_request_logger import CsvRequestLogger


@events.init.add_listener
def on_init(environment, **_):
    CsvRequestLogger("requests.csv").register(environment)


class Logged(HttpUser):
    wait_time = constant(0.05)
    fixed_count = 1

    @task
    def one(self):
        self.client.post("/a", data="{}")
