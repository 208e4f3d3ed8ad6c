"""Users of scorebench beside users of Locust's."""

from locust import HttpUser, constant, task

from scorebench.plugin import ScoringUser


class Ours(ScoringUser):
    fixed_count = 1


class Theirs(HttpUser):
    wait_time = constant(0.05)
    fixed_count = 1

    @task
    def one(self):
        self.client.post("/a", data="{}")
