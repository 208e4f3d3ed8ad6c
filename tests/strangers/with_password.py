"""Name and password in the host's address, as Locust's clients take them."""

from locust import HttpUser, constant, task


class SigningIn(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")
