"""One of two worker processes kills itself in its third second, as the kernel does when memory runs out."""

import os
import signal

import gevent
from locust import FastHttpUser, constant, events, task
from locust.runners import WorkerRunner


@events.test_start.add_listener
def start(environment, **_):
    if isinstance(environment.runner, WorkerRunner) and environment.runner.worker_index == 0:
        gevent.spawn_later(2.5, os.kill, os.getpid(), signal.SIGKILL)


class Caller(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.post("/a", data="{}")
