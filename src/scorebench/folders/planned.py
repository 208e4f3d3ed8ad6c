"""How many workers a rate needs, from the folder of a sweep or a capacity search. Knows no formula."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY

if TYPE_CHECKING:
    from scorebench.plans.lengths import Lengths
    from scorebench.plans.measured import Measured
    from scorebench.plans.plan import Plan

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
DEFAULT_LIMIT = "p99<200ms"


def planned(path: Path, wanted: str, limit: str = DEFAULT_LIMIT, *, option: str = "--for") -> Plan:
    """Workers for `wanted` (calls a second, "500/s" or "500") within `limit`. InputError for wrong input."""
    from scorebench.plans.plan import plan
    from scorebench.units import parse_number
    from scorebench.verdicts.limits import parse_limit

    rate_per_s = parse_number(wanted.removesuffix("/s"), option, "calls a second, such as 500/s")
    asked = parse_limit(limit)
    if asked.metric not in QUANTILES or not asked.op.startswith("<"):
        raise InputError(f"--limit {limit}: expected {', '.join(QUANTILES)} below a time, such as p99<200ms")
    q = QUANTILES[asked.metric]
    return plan(measured_in(path, q), rate_per_s, q, asked.bound)


def measured_in(path: Path, q: float) -> Measured:
    """What the sweep or the search in `path` tells of the `q` percentile. InputError where it can't tell."""
    from scorebench.folders.searched import read_search
    from scorebench.folders.sweeps import read_sweep
    from scorebench.plans.measured import measured, runs_alone

    sweep = (read_search if (path / CAPACITY).exists() else read_sweep)(path)
    alone = [run.folder for of in runs_alone(sweep).values() for run in of]
    return measured(sweep, {folder: _lengths(path, folder) for folder in alone}, q)


def _lengths(path: Path, folder: str) -> Lengths:
    """How long the calls of a run took, from its recording."""
    from scorebench.folders import folder as run_folder
    from scorebench.plans.lengths import Lengths

    inside = PurePosixPath(folder)
    if inside.is_absolute() or ".." in inside.parts:
        raise InputError(f"{path}: names {folder!r} as the folder of a run; expected one below its own")
    values_s, counts = run_folder.read(path / inside).measured.response.table()
    if not len(counts):
        raise InputError(f"{path / inside}: no call was measured; the sweep counts some there")
    return Lengths.counted(values_s, counts)
