"""Answers that the locustfile judges itself: a 404 that is right, a 200 that is wrong, rest(), a raise."""

from locust import FastHttpUser, HttpUser, constant, task


class Judging(HttpUser):
    wait_time = constant(0.05)

    @task
    def right(self):
        with self.client.post("/nowhere", data="{}", catch_response=True) as response:
            if response.status_code == 404:
                response.success()

    @task
    def wrong(self):
        with self.client.post("/a", data="{}", catch_response=True) as response:
            response.failure("not what was asked for")

    @task
    def plain(self):
        self.client.post("/nowhere", data="{}", name="a 404")


class FastJudging(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def asserted(self):
        with self.rest("POST", "/b", json={}) as response:
            assert response.js["ok"] == "no", "an assertion"

    @task
    def right(self):
        with self.rest("POST", "/b", json={}) as response:
            assert response.js["ok"]
