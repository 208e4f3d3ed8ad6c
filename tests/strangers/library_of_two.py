"""Locust as a library, master and worker, as its documentation shows, without Locust's command line."""

import os
import subprocess
import sys

import gevent
from locust import HttpUser, constant, events, task
from locust.env import Environment

PORT = int(os.environ["MASTER_PORT"])


class Used(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")


def work():
    environment = Environment(user_classes=[Used], events=events, host=os.environ["HOST"])
    runner = environment.create_worker_runner("127.0.0.1", PORT)
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    runner.greenlet.join()


def lead():
    environment = Environment(user_classes=[Used], events=events, host=os.environ["HOST"])
    runner = environment.create_master_runner("127.0.0.1", PORT)
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    worker = subprocess.Popen([sys.executable, __file__, "worker"])
    while not runner.clients.ready:
        gevent.sleep(0.1)
    runner.start(2, spawn_rate=10)
    gevent.sleep(4)
    runner.quit()
    runner.greenlet.join()
    print("locust", environment.stats.total.num_requests)
    worker.wait(20)


if __name__ == "__main__":
    work() if "worker" in sys.argv else lead()
