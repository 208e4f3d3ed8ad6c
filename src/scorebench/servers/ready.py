"""Ask a server GET /ping until it answers 200, has died, or is too slow. Knows HTTP; starts nothing."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable

from scorebench.servers.hosting import PING_TIMEOUT_S
from scorebench.servers.protocol import Progress, Server, ServerFailed

POLL_S = 0.1


def get(host: str, port: int, path: str, timeout_s: float = PING_TIMEOUT_S) -> tuple[int, bytes] | str:
    """(status, body up to 64 kB), or why there is none. No proxy, no redirect, nothing but this address."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(65_536)
    except TimeoutError:
        return f"no answer in {timeout_s:g} s"
    except (OSError, http.client.HTTPException, socket.gaierror) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def wait(
    name: str,
    *,
    port: int,
    host: str,
    server: Server,
    timeout_s: float,
    progress: Progress | None,
    is_ours: Callable[[], bool] = lambda: True,
) -> float:
    """Seconds until GET /ping answered 200; ServerFailed with the log's tail otherwise.

    Where `is_ours` says no, somebody else answered, such as a server that took the port while ours started.
    """
    address = f"http://{host}:{port}/ping"
    began = time.monotonic()
    while True:
        is_alive = server.alive()  # asked first: a server that answers and then dies is seen at the next turn
        answer = get(host, port, "/ping")
        if not isinstance(answer, str) and not is_ours():
            answer = f"another process answered on port {port}"
        waited = time.monotonic() - began
        if is_alive and not isinstance(answer, str) and answer[0] == http.HTTPStatus.OK:
            return waited
        if not is_alive:
            raise ServerFailed(
                f"{name} ended with status {server.exit_status()} before it answered", server.log_tail()
            )
        if waited > timeout_s:
            found = answer if isinstance(answer, str) else f"status {answer[0]}"
            raise ServerFailed(
                f"{name} did not answer GET {address} with 200 within {timeout_s:g} s (last: {found})",
                server.log_tail(),
                is_slow=True,
            )
        if progress is not None:
            progress(waited, server.log_tail(1))
        time.sleep(POLL_S)
