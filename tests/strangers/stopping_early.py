"""Users that leave by themselves, one of which ends the whole run."""

from locust import HttpUser, constant, task
from locust.exception import StopUser


class Leaving(HttpUser):
    wait_time = constant(0.02)
    left = 10

    def on_start(self):
        self.client.post("/b", data="{}", name="on_start")

    def on_stop(self):
        self.client.post("/b", data="{}", name="on_stop")

    @task
    def one(self):
        self.left -= 1
        if not self.left:
            raise StopUser
        self.client.post("/a", data="{}")


class Ending(HttpUser):
    fixed_count = 1
    wait_time = constant(0.7)

    @task
    def one(self):
        self.client.post("/a", data="{}")
        if self._ended():
            self.environment.runner.quit()

    def _ended(self):
        self.rounds = getattr(self, "rounds", 0) + 1
        return self.rounds == 3
