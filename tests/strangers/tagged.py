"""Tasks with tags, weights and pacing, in two classes of users with weights and a fixed count."""

from locust import FastHttpUser, HttpUser, constant_pacing, constant_throughput, tag, task


class Reader(HttpUser):
    weight = 3
    wait_time = constant_pacing(0.1)

    @tag("fast")
    @task(3)
    def fast(self):
        self.client.post("/a", data="{}", name="read")

    @tag("slow")
    @task
    def slow(self):
        self.client.post("/b", data="{}", name="never, by --tags fast")


class Writer(FastHttpUser):
    fixed_count = 1
    wait_time = constant_throughput(10)

    @tag("fast")
    @task
    def write(self):
        with self.client.rename_request("write"):
            self.client.post("/b", data="{}")
