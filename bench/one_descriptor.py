"""What a driver without greenlets would reach: one epoll descriptor for all connections, one loop.

A prototype, to know what the users' own client leaves on the table. It takes answers whose body is
that of the first one, counts all others as failed, and has no time-outs, TLS, reconnects, due times or users.

    python bench/one_descriptor.py HOST:PORT CONNECTIONS SECONDS BODY_FILE
"""

from __future__ import annotations

import json
import select
import socket
import sys
from pathlib import Path
from time import perf_counter as clock

import numpy as np

RECEIVE_BYTES = 470
KEPT = 100_000


def drive(host: str, port: int, connections: int, seconds: float, body: bytes) -> dict[str, float]:
    """Calls, how many had another body than the first, the microseconds they took in all, p50 and p99."""
    head = f"POST /invocations HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    epoll, sends, receives, sent_s = select.epoll(), {}, {}, {}
    for _ in range(connections):
        line = socket.create_connection((host, port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        fd = line.fileno()
        sends[fd], receives[fd] = line.send, line.recv
        epoll.register(fd, select.EPOLLIN)
    expected: bytes | None = None
    numbers: list[float] = []
    times: list[np.ndarray] = []
    failed = 0
    began_s = clock()
    until_s = began_s + seconds
    for fd, send in sends.items():
        sent_s[fd] = clock()
        send(request)
    now_s = began_s
    while now_s < until_s:
        for fd, _ in epoll.poll():
            answer = receives[fd](RECEIVE_BYTES)
            now_s = clock()
            if answer != expected:
                body = answer.partition(b"\r\n\r\n")[2]  # the date in the head changes every second
                failed += expected is not None and body != expected.partition(b"\r\n\r\n")[2]
                expected = answer
            numbers.extend((0.0, sent_s[fd], now_s, 1.0, 0.0))  # as many numbers as our client keeps a call
            sent_s[fd] = now_s
            sends[fd](request)
        if len(numbers) > 5 * KEPT:
            times.append(_times(numbers))
            numbers.clear()
    times.append(_times(numbers))
    found = np.concatenate(times)
    p50_s, p99_s = np.quantile(found, (0.5, 0.99)).tolist()
    return {
        "calls": len(found),
        "failed": failed,
        "duration_us": (now_s - began_s) * 1e6,
        "p50_us": p50_s * 1e6,
        "p99_us": p99_s * 1e6,
    }


def _times(numbers: list[float]) -> np.ndarray:
    table = np.array(numbers).reshape(-1, 5)
    found: np.ndarray = table[:, 2] - table[:, 1]
    return found


if __name__ == "__main__":
    place, connections, seconds, file = sys.argv[1:]
    host, _, port = place.rpartition(":")
    print(json.dumps(drive(host, int(port), int(connections), float(seconds), Path(file).read_bytes())))
