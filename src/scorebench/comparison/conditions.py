"""What runs must have in common to be compared: the load, the machine, the server's settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary


def mismatches(runs: Sequence[Summary]) -> list[str]:
    """Differences in the load that make the runs incomparable, one line each."""
    if not runs:
        return []
    conditions = [dict(_conditions(run.environment)) for run in runs]
    found = []
    for name, first in conditions[0].items():
        wanted = _value_text(first)
        others = {_value_text(one[name]) for one in conditions[1:]} - {wanted}
        found += [f"{name}: {wanted} and {', '.join(sorted(others))}"] if others else []
    return found


def _value_text(value: Any) -> str:
    return "not known" if value is None else str(value)


def _conditions(environment: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    payload = environment.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    yield "payload", payload.get("digest") and str(payload["digest"])[:12]
    yield "rows per call", payload.get("rows_per_call")
    yield "format", payload.get("format")
    yield "expected answers", payload.get("expected") or "rows"  # as it was before it could be said
    yield "arrivals", environment.get("arrivals") or "closed loop"
    yield "headers", ", ".join(map(str, environment.get("headers") or ())) or "none"
    yield "rate", environment.get("offered_rate_per_s")
    yield "users", environment.get("users")
    yield "host", environment.get("host")
    yield "processor", environment.get("processor")
    yield from _server_settings(environment.get("server"))


def _server_settings(server: Any) -> Iterator[tuple[str, Any]]:
    """What changes a server's speed besides its model."""
    server = server if isinstance(server, dict) else {}
    yield "the server's workers", server.get("workers")
    yield "the server's cores", server.get("cpus")
    yield "uvloop", server.get("uvloop")
    yield "httptools", server.get("httptools")
    variables = server.get("environment")
    variables = variables if isinstance(variables, dict) else {}
    shown = ", ".join(f"{name}={value}" for name, value in sorted(variables.items()))
    yield "the server's variables", shown or None
