"""Users with clients of their own, as people wrap boto3, stopped in the middle of what they do.

One waits for an answer, one reports in `finally`, one sleeps, and one has a connection that its client looks
at with a timeout of 0, which gevent throws into the user like a kill.
"""

import select
import socket
import time
import urllib.request

from locust import HttpUser, User, constant, events, task


def post(host, path):
    request = urllib.request.Request(host + path, data=b"{}", method="POST")
    with urllib.request.urlopen(request) as response:
        response.read()


def fire(name, began):
    events.request.fire(
        request_type="sagemaker",
        name=name,
        response_time=(time.perf_counter() - began) * 1e3,
        response_length=0,
        exception=None,
    )


class Waiting(User):
    fixed_count = 2

    @task
    def one(self):
        began = time.perf_counter()
        post(self.host, "/slow")
        fire("never", began)


class Reporting(User):
    fixed_count = 1

    @task
    def one(self):
        began = time.perf_counter()
        try:
            post(self.host, "/slow")
        finally:
            fire("finally", began)


class BesideAnother(HttpUser):
    """Its own client is Locust's, and it makes this call with another one."""

    fixed_count = 1

    @task
    def one(self):
        post(self.host, "/slow")


class Sleeping(User):
    fixed_count = 1
    wait_time = constant(0.05)

    def on_start(self):
        self.idle = socket.create_connection(
            (self.host.split("/")[2].split(":")[0], int(self.host.split(":")[2]))
        )
        self.calls = 0

    @task
    def one(self):
        began = time.perf_counter()
        select.select([self.idle], [], [], 0)
        post(self.host, "/a")
        fire("answered", began)
        self.calls += 1
        if self.calls == 5:
            time.sleep(60)
