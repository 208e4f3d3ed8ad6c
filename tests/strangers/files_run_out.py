"""More users than files that may be open for a second: most calls fail before they leave."""

import resource

import gevent
from locust import FastHttpUser, HttpUser, constant, events, task


@events.test_start.add_listener
def limit(**_):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
    gevent.spawn_later(1.5, resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


class Requests(HttpUser):
    fixed_count = 30
    wait_time = constant(0.2)

    @task
    def one(self):
        self.client.post("/takes", data="{}")


class Fast(FastHttpUser):
    fixed_count = 30
    wait_time = constant(0.2)

    @task
    def one(self):
        self.client.post("/takes", data="{}")
