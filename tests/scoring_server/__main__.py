"""The server's process: behaviour and place come in on stdin, the port and the log go out on stdout."""

from __future__ import annotations

import os
import sys

from tests.scoring_server.behaviour import Behaviour, Place
from tests.scoring_server.loop import Loop, receive, send


def main() -> None:
    received = receive(sys.stdin.buffer)
    assert isinstance(received, tuple)
    behaviour, place = received
    assert isinstance(behaviour, Behaviour)
    assert isinstance(place, Place)
    if place.core is not None:
        os.sched_setaffinity(0, {place.core})
    try:
        loop = Loop(behaviour, place)
    except OSError as error:  # the port is taken, the certificate unreadable: the test shall hear it
        send(sys.stdout.buffer, error)
        return
    send(sys.stdout.buffer, loop.port)
    loop.run(sys.stdin.buffer, sys.stdout.buffer)


main()
