"""The environment of a run, in one line. Knows which facts a reader needs first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebench.report.words import count

DIGEST = 12
"""Characters of the payload's digest: enough to see whether two runs sent the same."""


def environment_line(environment: Mapping[str, Any]) -> str:
    """Server, versions, host and payload, as far as they are known; empty if nothing is."""
    return "; ".join(
        [*_server(environment), *_versions(environment), *_host(environment), *_payload(environment)]
    )


def _server(environment: Mapping[str, Any]) -> list[str]:
    server = environment.get("server") or {}
    known = [("mlflow", "mlflow_version"), ("python", "python_version"), ("workers", "workers")]
    details = [f"{name} {server[key]}" for name, key in known if server.get(key) is not None]
    named = " ".join(
        str(part) for part in (server.get("kind"), server.get("url") or environment.get("url")) if part
    )
    return [f"{named} ({', '.join(details)})" if details else named] if named else []


def _versions(environment: Mapping[str, Any]) -> list[str]:
    """The generator's versions; the others are in summary.json."""
    versions = environment.get("versions") or {}
    return [f"{name} {versions[name]}" for name in ("scorebench", "locust", "python") if versions.get(name)]


def _host(environment: Mapping[str, Any]) -> list[str]:
    cores = environment.get("host_cores")
    return [] if cores is None else [f"host with {count(cores, 'core')}"]


def _payload(environment: Mapping[str, Any]) -> list[str]:
    payload = environment.get("payload") or {}
    rows, digest = payload.get("rows_per_call"), payload.get("digest")
    parts: list[Any] = [
        payload.get("format"),
        count(rows, "row") + " a call" if isinstance(rows, int) else None,
    ]
    parts += [str(digest)[:DIGEST] if digest else None, _expected(payload)]
    known = [str(part) for part in parts if part]
    return [f"payload {', '.join(known)}"] if known else []


def _expected(payload: Mapping[str, Any]) -> str | None:
    """What a valid answer had to be, as `--expect` names it; recordings of before do not say."""
    expected = payload.get("expected")
    return None if expected is None else f"expected {expected}"
