"""A worker that is let in and then says whatever it likes: its master goes on hearing the others."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from scorebench.cluster import bounds, locust_messages

MIB = 2**20


def message(data: object) -> bytes:
    """As Locust packs one."""
    return msgspec.msgpack.encode(("stats", data, "a worker"))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("data", "is_taken"),
    [
        (None, True),
        ({"scorebench": b"x" * (64 * MIB), "stats": []}, True),  # a report of the largest size
        ({"scorebench": b"x" * MIB, "stats": ["x" * 1000] * 9_000}, False),
        ({"scorebench": "x" * (9 * MIB)}, False),  # text is taken apart
        ({"scorebench": [{}] * (9 * MIB)}, False),  # and so are nine million objects, 600 MB of memory
        ({"other": b"x" * (9 * MIB)}, False),
    ],
    ids=["nothing", "a report", "large statistics", "text", "objects", "another key"],
)
def test_what_is_taken_apart_is_small(data: object, is_taken: bool) -> None:
    """8 MiB, which become 600 MB of objects at most; bytes that are only carried may be 64 MiB."""
    assert (bounds.too_large(message(data), "scorebench") is None) is is_taken


@pytest.mark.quick
def test_what_has_no_form_is_no_message() -> None:
    """As ValueError, for which the master drops it."""
    for content in (b"\xc1" * (9 * MIB), b"\x80" * (9 * MIB), message([1] * (9 * MIB)), b"\x91" * (9 * MIB)):
        with pytest.raises((ValueError, RecursionError)):
            bounds.too_large(content, "scorebench")


MASTER = """
import gevent.monkey
gevent.monkey.patch_all()
import logging, sys
import msgspec, zmq.green as zmq
import scorebench.plugin
from locust import User, task
from locust.env import Environment
from locust.rpc import Message
from scorebench.cluster import bounds
from scorebench.plugin.lifecycle import messages as m

logging.basicConfig(stream=sys.stdout, format="%(message)s")
bounds.MOST_NAMES = 3

class Idle(User):
    @task
    def nothing(self):
        pass

environment = Environment(user_classes=[Idle], host="http://127.0.0.1:1")
runner = environment.create_master_runner("127.0.0.1", 0)
scorebench.plugin.install(environment)
context = zmq.Context()

def line(name):
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, name)
    socket.connect(f"tcp://127.0.0.1:{runner.server.port}")
    socket.send(Message("client_ready", "2.0.0", name.decode()).serialize())
    return socket

def is_answered(socket, name):
    beat = {"state": "ready", "current_cpu_usage": 1.0, "current_memory_usage": 1}
    socket.send(Message("heartbeat", beat, name.decode()).serialize())
    for _ in range(50):
        if not socket.poll(2000):
            return False
        if Message.unserialize(socket.recv()).type == "heartbeat":
            return True
    return False

honest, hostile = line(b"honest"), line(b"hostile")
assert is_answered(honest, b"honest") and is_answered(hostile, b"hostile")
nonsense = [None, {}, [], "x", 7, -1, b"x", {"state": []}, {"state": {}, "current_cpu_usage": "much"},
            {m.KEY: b""}, {m.KEY: 3}, {m.KEY: b"\\xc1"}, {"msg": [], "traceback": {}}, {"version": 3},
            {"stats": [{}], "stats_total": {}, "errors": {}}, {"user_classes_count": 5},
            {"user_classes_count": {"Idle": "many"}}, {"stats": 3, "user_count": "x"}, {"data": float("nan")}]
for what in ("client_ready", "heartbeat", "stats", "spawning", "spawning_complete", "logs", "exception",
             "locustfile", m.HELLO, m.READY, m.BEGUN, m.BEAT, m.EXHAUSTED, m.GIVEN, m.LEAVING, m.LAST, "",
             None, 3, [], "client_stopped", "quit"):
    for data in nonsense:
        hostile.send(msgspec.msgpack.encode((what, data, "hostile")))
    if not is_answered(honest, b"honest"):
        print("DEAF after", what)
        break
deep = b"\\x91" * 100_000
objects, claim = b"\\x80" * 9_000_000, b"\\xdd\\xff\\xff\\xff\\xff"
for content in (deep, b"\\x93\\xa5stats" + deep, objects, claim, bytes(100_000_000)):
    hostile.send(content)
print("after bombs", is_answered(honest, b"honest"))
third, fourth, painted = line(b"third"), line(b"fourth"), line(b"\\x1b[2J")
print("third", is_answered(third, b"third"))
print("fourth", is_answered(fourth, b"fourth"))
print("painted", is_answered(painted, b"\\x1b[2J"))
print("honest", is_answered(honest, b"honest"), sorted(runner.clients), runner.exceptions, runner.errors)
"""


ANSWERS = ("after", "third", "fourth", "painted", "honest")


def test_whatever_a_worker_says_the_others_are_heard() -> None:
    """22 kinds of messages with 19 contents without sense, bombs, and more names than are taken (here 3).

    The log has one line for each, and twenty at most. Locust's tables hold nothing of them.
    """
    done = subprocess.run(
        [sys.executable, "-c", MASTER], capture_output=True, text=True, check=False, timeout=60
    )
    lines = done.stdout.splitlines()
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert not [one for one in lines if one.startswith("DEAF")]
    assert [one for one in lines if one.split()[0] in ANSWERS] == [
        "after bombs True",
        "third True",
        "fourth False",
        "painted False",
        "honest True ['honest', 'third'] {} {}",
    ], done.stdout + done.stderr
    assert len([one for one in lines if "makes no sense" in one]) == 20
    assert "\x1b" not in done.stdout


ODD = """
from locust.stats import RequestStats
from scorebench.cluster import locust_messages
stats = RequestStats()
stats.log_request(None, None, 12.5, 0)
stats.log_request("POST", 7, None, -1)
stats.log_error("GET", "/", ValueError("x"))
data = {
    "stats": stats.serialize_stats(),
    "stats_total": stats.total.get_stripped_report(),
    "errors": stats.serialize_errors(),
    "user_classes_count": {"One": 1},
    "user_count": 1,
    "scorebench": b"x",
    "of the locustfile": object(),
}
locust_messages.check("stats", data, "one")
data["stats_total"]["response_times"] = {"a": 1}
try:
    locust_messages.check("stats", data, "one")
except ValueError as problem:
    print(problem)
"""


def test_what_a_plain_user_may_report_is_taken() -> None:
    """Locust's own statistics of odd requests: no name, a name that is a number, half milliseconds, no time.

    A text among the response times, at which Locust's table would end, is not.
    """
    done = subprocess.run([sys.executable, "-c", ODD], capture_output=True, text=True, check=True, timeout=60)
    assert "response_times" in done.stdout


@pytest.mark.quick
@pytest.mark.parametrize(
    ("what", "data", "why"),
    [
        ("logs", {"worker_id": "another", "logs": []}, "another worker"),
        ("client_ready", "\x1b[2J", "no word"),
        ("a\nb", None, "no word"),
        (["stats"], {}, "no word"),
        ("heartbeat", {"state": 3, "current_cpu_usage": 1}, "state"),
        ("spawning_complete", {"user_classes_count": {"One": "many"}}, "user_classes_count"),
    ],
)
def test_what_nobody_can_mean_is_not_passed_on(what: object, data: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        locust_messages.check(what, data, "one")
