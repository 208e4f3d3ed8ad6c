"""The environment of a run, gathered by its leading process. Knows settings, server and this host."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from scorebench.answers.readings import expected
from scorebench.options.settings import Settings
from scorebench.payloads.payload import Payload
from scorebench.plugin.lifecycle import command_line, surroundings
from scorebench.runs.launch import COMMAND_VARIABLE, ORIGINS_VARIABLE


def known(
    settings: Settings, payload: Payload | None, server: Mapping[str, Any], users: int | None
) -> dict[str, Any]:
    """The `environment` of a recording; None is what nobody knows."""
    arrivals, cpus, credentials = settings.arrivals, server.get("cpus"), settings.credentials
    return {
        **surroundings.describe(),
        "command": os.environ.get(COMMAND_VARIABLE) or command_line.LINE.as_recorded(sys.argv),
        "options_from": json.loads(os.environ.get(ORIGINS_VARIABLE) or "{}"),
        "url": settings.target.shown or None,
        "sign_in": credentials.sign_in.name if credentials.sign_in else None,
        "headers": [*credentials.headers.names, *map(str, credentials.headers.files)],
        "model": settings.model,
        "server": dict(server),
        "server_cpus": cpus,
        "shared_cores": surroundings.shared_cores(settings.target.host, cpus),
        "users": users,
        "arrivals": None if arrivals is None else arrivals.spec,
        "offered_rate_per_s": None if arrivals is None else arrivals.rate_at(0.0),
        "arrivals_note": None if arrivals is None else arrivals.note,
        "scenario": settings.scenario,
        "scrape": [place.shown for place in settings.scrape] or None,
        "seed": settings.seed,
        "limits": [limit.text for limit in settings.limits],
        "stop_when": [condition.text for condition in settings.stop_when],
        "run_time_s": settings.run_time_s,
        "warm_up_s": settings.warm_up.seconds or None,
        "payload": None if payload is None else _facts_of(payload),
        "started_s": time.time(),
        "stopped_s": None,
    }


def _facts_of(payload: Payload) -> dict[str, Any]:
    wanted = expected(payload.answers)
    return {
        "digest": payload.digest,
        "format": payload.format,
        "bodies": len(payload.bodies),
        "rows_per_call": max(payload.rows),
        "bytes": payload.total_bytes,
        "expected": payload.answers,
        "valid_if": wanted.reading.words,
        "answers_vary": wanted.reading.varies,
        "notes": list(payload.notes),
        "stream": payload.stream,
        "rows": sum(payload.rows),
        "source": None if payload.origin is None else payload.origin.facts(),
    }
