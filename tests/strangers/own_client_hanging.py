"""Users with clients of their own, as people wrap boto3, stopped in the middle of what they do.

One waits for an answer, one reports in `finally`, one sleeps, and one has a connection that its client looks
at with a timeout of 0, which gevent throws into the user like a kill. One says good-bye with a call of its
own, one gave up before, and two have calls in greenlets that they started. Four others wait for what is no
call: a queue, a barrier, greenlets that sleep, and what a server may send by itself.
"""

import select
import socket
import time
import urllib.request

import gevent
import gevent.event
import gevent.queue
from locust import FastHttpUser, HttpUser, User, constant, events, task


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


class Farewell(User):
    fixed_count = 1

    @task
    def one(self):
        post(self.host, "/slow")

    def on_stop(self):
        began = time.perf_counter()
        post(self.host, "/b")
        fire("farewell", began)


class GivingUp(User):
    fixed_count = 1

    @task
    def one(self):
        with gevent.Timeout(0.3, False):
            post(self.host, "/slow")
        time.sleep(60)


class TwoAtOnce(HttpUser):
    fixed_count = 1

    @task
    def one(self):
        gevent.spawn(self.client.post, "/slow", data="{}")
        gevent.sleep(0.05)
        post(self.host, "/slow")


class InTheBackground(User):
    """Its own greenlet goes on all the time, so that only the one that it started hangs."""

    fixed_count = 1
    wait_time = constant(0.1)

    def on_start(self):
        gevent.spawn(post, self.host, "/slow")

    @task
    def one(self):
        time.sleep(0.1)


queue = gevent.queue.Queue()


class Queueing(HttpUser):
    fixed_count = 1

    @task
    def one(self):
        self.client.post("/a", name="queueing", data="{}")
        queue.get()


barrier = gevent.event.Event()


class AtABarrier(FastHttpUser):
    fixed_count = 1

    @task
    def one(self):
        barrier.wait()


class Joining(HttpUser):
    fixed_count = 1

    def rest(self):
        self.client.post("/a", name="joining", data="{}")
        time.sleep(60)

    @task
    def one(self):
        gevent.joinall([gevent.spawn(self.rest), gevent.spawn(self.rest)])


class Listening(User):
    """As over a web socket: one greenlet reads what comes, another one asks."""

    fixed_count = 1

    def on_start(self):
        host, port = self.host.split("/")[2].split(":")
        self.open = socket.create_connection((host, int(port)))
        gevent.spawn(self.listen)

    def listen(self):
        while self.open.recv(1000):
            fire("listening", self.began)

    @task
    def one(self):
        self.began = time.perf_counter()
        self.open.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
        time.sleep(60)
