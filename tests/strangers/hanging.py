"""Users whose calls are under way when the run ends, with each of Locust's clients; one gives up first."""

import gevent
from locust import FastHttpUser, HttpUser, task


class Hanging(HttpUser):
    fixed_count = 2

    @task
    def one(self):
        self.client.post("/slow", data="{}")


class FastHanging(FastHttpUser):
    fixed_count = 2

    @task
    def one(self):
        with self.client.post("/slow", data="{}", catch_response=True) as response:
            response.success()


class GivingUp(HttpUser):
    fixed_count = 1

    @task
    def one(self):
        with gevent.Timeout(0.3, False):
            self.client.post("/slow", data="{}")
