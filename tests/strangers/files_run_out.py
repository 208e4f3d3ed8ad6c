"""More users than files that may be open: most calls fail before they leave."""

import resource

from locust import FastHttpUser, HttpUser, constant, task

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))


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
