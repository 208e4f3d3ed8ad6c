"""A shape of stages that reads Locust's own options."""

from locust import HttpUser, LoadTestShape, constant, task


class Shaped(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")


class Stages(LoadTestShape):
    use_common_options = True

    def tick(self):
        options = self.runner.environment.parsed_options
        elapsed = self.get_run_time()
        if elapsed < options.run_time / 2:
            return options.num_users, options.spawn_rate
        if elapsed < options.run_time:
            return 1, 100
        return None
