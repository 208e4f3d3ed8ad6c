"""Hosts that are no address of an HTTP server; nothing is sent there."""

import os

from locust import User, constant, task


class Elsewhere(User):
    host = os.environ["MY_HOST"] or None
    wait_time = constant(0.05)

    @task
    def call(self):
        self.environment.events.request.fire(
            request_type="grpc",
            name="SayHello",
            response_time=3.0,
            response_length=0,
            exception=None,
            context={},
        )
