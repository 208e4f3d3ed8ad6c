"""What a server may tell of a call in `Server-Timing`, by name. Knows words; no clock, no server."""

from __future__ import annotations

STAGES = {
    "read": "reading the body",
    "queue": "waiting for a worker thread",
    "parse": "parsing",
    "schema": "schema enforcement",
    "predict": "the model's predict",
    "write": "writing predictions",
}
"""Stages of a call, one after the other and none inside another; what is left of `total` is around them."""
TOTAL = "total"
"""From the call of the application to the start of its answer."""
WORKER = "worker"
"""Its description says which process answered."""
