"""Sequential tasks, and sets of tasks within sets, that are interrupted."""

from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task


class Steps(SequentialTaskSet):
    @task
    def first(self):
        self.client.post("/a", data="{}", name="first")

    @task
    def second(self):
        self.client.post("/b", data="{}", name="second")

    @task
    def leave(self):
        self.interrupt()


class Browse(TaskSet):
    tasks = {Steps: 2}

    @task(1)
    class Inner(TaskSet):
        @task
        def look(self):
            self.client.post("/a", data="{}", name="look")
            self.interrupt(reschedule=False)

    @task(1)
    def leave(self):
        self.interrupt()


class Nested(HttpUser):
    tasks = [Browse]
    wait_time = constant(0.02)
