"""One task, four requests at once: in greenlets of a pool, joined, with paths and objects as arguments."""

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, constant, task


class Spawning(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def pool(self):
        pool = Pool()
        for path in ("/a", "/b"):
            pool.spawn(self.one, path)
        pool.join()

    @task
    def joined(self):
        gevent.joinall([gevent.spawn(self.one, path) for path in ("/a", "/b")])

    @task
    def objects(self):
        gevent.joinall([gevent.spawn(one_of, object(), self) for _ in range(2)])

    def one(self, path):
        self.client.post(path, data="{}")


def one_of(_job, user):
    gevent.spawn(user.one, "/a").join()
