"""Requests from a thread pool of each user, and from threads that Locust knows nothing of."""

import time
from concurrent.futures import ThreadPoolExecutor

import gevent
from locust import HttpUser, constant, task


class Threaded(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        self.executor = ThreadPoolExecutor(2)

    @task
    def executor_of_mine(self):
        list(self.executor.map(lambda path: self.client.post(path, data="{}"), ("/a", "/b")))

    @task
    def thread_of_the_system(self):
        gevent.get_hub().threadpool.apply(report, (self.environment, self.client.post("/a", data="{}")))


def report(environment, response):
    began = time.perf_counter()
    environment.events.request.fire(
        request_type="THREAD",
        name="parse",
        response_time=(time.perf_counter() - began) * 1e3,
        response_length=len(response.content),
        exception=None,
        context={},
    )
