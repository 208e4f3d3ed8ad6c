"""Locust as a library, as its documentation shows, without Locust's command line."""

import os
import sys

import gevent
from locust import HttpUser, constant, events, task
from locust.env import Environment
from locust.stats import stats_history


class Used(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", data="{}")


def main():
    environment = Environment(user_classes=[Used], events=events, host=os.environ["HOST"])
    runner = environment.create_local_runner()
    if "init" in sys.argv:
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    runner.start(2, spawn_rate=10)
    gevent.spawn(stats_history, runner)
    gevent.spawn_later(8, runner.quit)
    runner.greenlet.join()
    print("locust", environment.stats.total.num_requests)


if __name__ == "__main__":
    main()
