"""Other readers of the same bytes: h11 for HTTP, Python's json for predictions. Knows no reader of ours."""

from __future__ import annotations

import json
from typing import Any

import h11

Read = tuple[int, bytes]
"""Status and body of an answer."""


def by_h11(message: bytes) -> Read | str:
    """What h11 makes of the answer to a POST, where the server closes after `message`; or why it refuses."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "h"), ("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    status, body, ended = 0, bytearray(), False
    try:
        connection.receive_data(message)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, bytes(body)
            elif event is h11.NEED_DATA and not ended:
                connection.receive_data(b"")
                ended = True
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed) or event is h11.NEED_DATA:
                return "it ended"
    except h11.RemoteProtocolError as error:
        return str(error)


class Refused(Exception):
    """What strict JSON is not: a bare NaN or Infinity."""


def by_json(body: bytes) -> Any:
    """The value of strict JSON, by Python's own reader. ValueError or RecursionError for anything else."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    return json.loads(body, parse_constant=refuse)
