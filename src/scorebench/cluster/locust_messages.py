"""What workers say in Locust's own messages, checked before Locust takes it. Knows forms, and no Locust.

Locust takes all as it comes: a text in the place of a count ends its table of statistics hours later. What a
plain user may report, however odd, is of these forms; only what Locust would break at is not.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

Number = int | float
Plain = str | int | float | bool | None


class _Entry(Struct):
    name: Plain
    method: Plain
    num_requests: Number = 0
    num_none_requests: Number = 0
    num_failures: Number = 0
    total_response_time: Number = 0
    max_response_time: Number = 0
    min_response_time: Number | None = None
    total_content_length: Number = 0
    start_time: Number = 0
    last_request_timestamp: Number | None = None
    response_times: dict[Number, Number] = {}
    num_reqs_per_sec: dict[Number, Number] = {}
    num_fail_per_sec: dict[Number, Number] = {}


class _Error(Struct):
    name: Plain
    method: Plain
    error: Plain
    occurrences: Number
    first_seen: Number | None = None
    last_seen: Number | None = None


class _Stats(Struct):
    stats: list[_Entry]
    stats_total: _Entry
    errors: dict[str, _Error]
    user_classes_count: dict[str, int]
    user_count: int


class _Heartbeat(Struct):
    state: str
    current_cpu_usage: Number
    current_memory_usage: Number = 0


class _Spawned(Struct):
    user_classes_count: dict[str, int]


class _Raised(Struct):
    msg: str
    traceback: str


class _Logs(Struct):
    worker_id: str
    logs: list[str]


FORMS: dict[str, type[Struct]] = {
    "stats": _Stats,
    "heartbeat": _Heartbeat,
    "spawning_complete": _Spawned,
    "exception": _Raised,
    "logs": _Logs,
}
"""Of the data of a message, by its type; the other types carry nothing that is kept."""
MOST_LETTERS = 100
"""Of a message's type and of a version."""


def check(what: object, data: Any, worker: str) -> None:
    """Raise ValueError for the data of a message of type `what` that its `worker` can't have meant."""
    if not _is_word(what):
        raise ValueError("its type is no word")
    if what == "client_ready" and data != -1 and not _is_word(data):
        raise ValueError("its version is no word")
    if (form := FORMS.get(str(what))) is None:
        return
    found = msgspec.convert(data, form, str_keys=False)
    if isinstance(found, _Logs) and found.worker_id != worker:
        raise ValueError("it holds the log of another worker")


def _is_word(what: object) -> bool:
    """Whether a log, and so a terminal, may show it."""
    return isinstance(what, str) and 0 < len(what) <= MOST_LETTERS and what.isprintable()
