"""How many workers a rate needs, from the folder of a sweep or a capacity search. Knows no formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY

if TYPE_CHECKING:
    from scorebench.plans.plan import Plan

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
DEFAULT_LIMIT = "p99<200ms"


def planned(path: Path, wanted: str, limit: str = DEFAULT_LIMIT, *, option: str = "--for") -> Plan:
    """Workers for `wanted` (calls a second, "500/s" or "500") within `limit`. InputError for wrong input."""
    from scorebench.folders.searched import read_search
    from scorebench.folders.sweeps import read_sweep
    from scorebench.plans.plan import plan
    from scorebench.units import parse_number
    from scorebench.verdicts.limits import parse_limit

    rate_per_s = parse_number(wanted.removesuffix("/s"), option, "calls a second, such as 500/s")
    asked = parse_limit(limit)
    if asked.metric not in QUANTILES or not asked.op.startswith("<"):
        raise InputError(f"--limit {limit}: expected {', '.join(QUANTILES)} below a time, such as p99<200ms")
    read = read_search if (path / CAPACITY).exists() else read_sweep
    return plan(read(path), rate_per_s, QUANTILES[asked.metric], asked.bound)
