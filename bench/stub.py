"""A server that costs next to nothing: nginx with one fixed answer from memory. Knows nginx; no generator.

What a generator can do shows only against a server that is faster than it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.processes import Failed, pinned_to, stop

ANSWER = b'{"predictions": [5.47]}'
START_S = 10.0

# One process, so that the core it is pinned to is all it has. `return` throws the request's body away and
# keeps the connection. The temporary folders are named because the packaged defaults belong to root.
CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /invocations {{ return 200 '{answer}'; }}
        location = /ping {{ return 200 '\\n'; }}
        location = /version {{ return 200 '3.17.2'; }}
        location = /status {{ stub_status; }}
    }}
}}
"""


class Stub:
    """A running nginx at `url`, and what it knows of the calls that it answered."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process
        self._asked = 0

    def requests(self) -> int:
        """How many requests nginx has answered since its start, without those of this method."""
        with urllib.request.urlopen(f"{self.url}/status", timeout=START_S) as response:
            counts = response.read().decode().splitlines()[2].split()
        self._asked += 1
        return int(counts[2]) - self._asked

    def cpu_s(self) -> float:
        """The processor time that nginx has used, in seconds."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def stub(core: int | None = None) -> Iterator[Stub]:
    """nginx on a free port of 127.0.0.1, pinned to `core`; gone, with its folder, at the end.

    Raises Failed where nginx is missing, and with its own words where it does not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Failed("nginx: not found on the PATH; install it (Debian: nginx-light)")
    with tempfile.TemporaryDirectory(prefix="scorebench-stub-") as folder:
        port = free_port()
        configuration = Path(folder, "nginx.conf")
        text = CONFIGURATION.format(folder=folder, port=port, answer=ANSWER.decode())
        configuration.write_text(text, encoding="utf-8")
        command = [program, "-p", folder, "-c", str(configuration), "-e", f"{folder}/error.log"]
        with pinned_to(core):
            process = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            _wait(port, process)
            yield Stub(f"http://127.0.0.1:{port}", process)
        finally:
            stop(process)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    stop(process)
    said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    raise Failed(f"nginx: did not answer on port {port} within {START_S:.0f} s: {said or 'it said nothing'}")
