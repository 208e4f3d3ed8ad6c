"""Locust with its web page, for tests: started on a free port of this machine, ended with all its processes.

Knows the command line and HTTP; nothing of what the page shows.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scorebench.servers import ports
from tests.commands import ROOT

WINE = str(ROOT / "payloads" / "wine.csv")
READY_S = 60


@contextmanager
def locust_page(
    folder: Path,
    host: str,
    *words: str,
    base_path: str = "",
    body: str | None = None,
    locustfile: Path = ROOT / "locustfile.py",
) -> Iterator[str]:
    """The address of the page, without a slash at its end; `folder` gets the reports and Locust's log."""
    web = ports.claim(0)
    sent = ["--data", WINE] if body is None else ["--body", body]
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "-H", host, *sent]
    command += ["--web-host", "127.0.0.1", "--web-port", str(web), *words]
    command += ["--web-base-path", base_path] if base_path else []
    with (folder / "locust.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{web}{base_path}"
            _wait_for(url)
            yield url
        finally:
            process.terminate()  # SIGINT is ignored by what a shell started in the background
            try:
                process.wait(30)
            finally:
                _end_group(process.pid)


def _end_group(number: int) -> None:
    """Workers that outlived their master."""
    with suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)


def _wait_for(url: str) -> None:
    end_s = time.monotonic() + READY_S
    while time.monotonic() < end_s:
        try:
            urllib.request.urlopen(f"{url}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"{url}: no answer in {READY_S} s")


def post(url: str, **fields: Any) -> dict[str, Any]:
    """What is answered to a form."""
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(url, body, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def get(url: str) -> tuple[int, str, dict[str, str]]:
    """(status, text, headers in lower case) of a page, an error's too; redirects are followed."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), {k.lower(): v for k, v in error.headers.items()}


def state(url: str) -> dict[str, Any]:
    """What the tab is told."""
    found: dict[str, Any] = json.loads(get(f"{url}/scorebench/state")[1])
    return found


def ended(url: str, timeout_s: float = 60) -> dict[str, Any]:
    """The tab's state once a run is over and its files are linked."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        found = state(url)
        if found["runs"] and found["board"] and not found["board"]["running"]:
            return found
        time.sleep(0.3)
    raise TimeoutError(f"{url}: no run ended in {timeout_s} s: {state(url)}")
