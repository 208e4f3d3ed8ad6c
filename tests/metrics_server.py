"""A server that shows metrics to whoever asks, as a function of the time, and counts who asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer


@dataclass
class Metrics:
    """What it shows after so many seconds, and when it was asked."""

    show: Callable[[float], str]
    url: str = ""
    asked_s: list[float] = field(default_factory=list)


@contextmanager
def metrics_server(show: Callable[[float], str]) -> Iterator[Metrics]:
    """It answers GET /metrics, and 404 elsewhere."""
    metrics, began_s = Metrics(show), time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            metrics.asked_s.append(time.time())
            body = metrics.show(time.monotonic() - began_s).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    metrics.url = f"http://127.0.0.1:{server.server_port}/metrics"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield metrics
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def raw_server(answer: bytes, drip: bytes = b"") -> Iterator[str]:
    """It sends these bytes to whoever asks, then `drip` again and again until the other end has gone."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65_536)
                self.request.sendall(answer)
                while drip:
                    self.request.sendall(drip)
                    time.sleep(0.05)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        finally:
            server.shutdown()
            thread.join()
