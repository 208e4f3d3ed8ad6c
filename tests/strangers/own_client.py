"""Clients that report by themselves, as those for SageMaker, gRPC, MQTT or databases do."""

import time
import urllib.error
import urllib.request

from locust import User, constant, events, task


class Endpoint:
    """As people wrap boto3: it knows no user, and fires Locust's global event."""

    def __init__(self, host):
        self.host = host

    def invoke(self, path):
        began, error, length = time.perf_counter(), None, 0
        try:
            request = urllib.request.Request(self.host + path, data=b"{}", method="POST")
            with urllib.request.urlopen(request) as response:
                length = len(response.read())
        except urllib.error.URLError as problem:
            error = problem
        events.request.fire(
            request_type="sagemaker",
            name=f"invoke {path}",
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=length,
            exception=error,
        )


class Endpoints(User):
    wait_time = constant(0.05)

    def __init__(self, environment):
        super().__init__(environment)
        self.client = Endpoint(self.host)

    def on_start(self):
        """However few calls a busy machine leaves, one fails."""
        self.missing()

    @task
    def score(self):
        self.client.invoke("/a")

    @task
    def missing(self):
        self.client.invoke("/nowhere")

    @task
    def measured(self):
        with self.environment.events.request.measure("grpc", "Predict") as meta:
            request = urllib.request.Request(self.host + "/b", data=b"{}", method="POST")
            with urllib.request.urlopen(request) as response:
                meta["response_length"] = len(response.read())

    @task
    def without_a_time(self):
        """As a message that is sent and not answered: it has no response time."""
        urllib.request.urlopen(urllib.request.Request(self.host + "/a", data=b"{}", method="POST")).close()
        self.environment.events.request.fire(
            request_type="mqtt",
            name="publish",
            response_time=None,
            response_length=0,
            exception=None,
            context={},
        )
