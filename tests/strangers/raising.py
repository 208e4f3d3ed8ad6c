"""Tasks that raise: after their answer, and while they judge it, so that Locust never hears of the call."""

from locust import FastHttpUser, HttpUser, constant, task


class Raising(HttpUser):
    wait_time = constant(0.05)

    @task
    def after(self):
        answer = self.client.post("/a", data="{}").json()
        assert answer["ok"] == "no", "wrong answer"

    @task
    def within(self):
        with self.client.post("/b", data="{}", catch_response=True) as response:
            response.json()["missing"]


class FastRaising(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def within(self):
        with self.client.post("/b", data="{}", catch_response=True) as response:
            response.json()["missing"]
