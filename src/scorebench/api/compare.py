"""`scorebench.compare`: two sets of runs from Python, as `scorebench compare` compares them. Wiring."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.api.result import Result
from scorebench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.comparison.compare import Comparison

Runs = Result | str | os.PathLike[str]
"""A run: what `scorebench.run` returned, or its folder; or a folder that holds runs."""


@dataclass(frozen=True, repr=False)
class Compared:
    """What changed from `before` to `after`, and the gates of `fail_if`."""

    comparison: Comparison
    warnings: tuple[str, ...]
    exit_code: int
    """0: no gate failed; 3: one did; 4: the runs are too few to decide one."""

    @property
    def good(self) -> bool:
        """Every gate was kept for certain."""
        return self.exit_code == 0

    def to_frame(self) -> pd.DataFrame:
        """A row a metric: medians in SI units, ratio (after / before - 1), p, and the change in a word."""
        import pandas as pd

        rows = [
            {
                "metric": one.metric,
                "before": None if one.before is None else one.before.value,
                "after": None if one.after is None else one.after.value,
                "ratio": one.ratio,
                "p": one.p,
                "change": one.change.value,
            }
            for one in self.comparison.differences
        ]
        return pd.DataFrame(rows).set_index("metric")

    def __str__(self) -> str:
        """What the command prints."""
        from scorebench.report import compare

        return compare.render([self.comparison], list(self.warnings)).rstrip()

    def __repr__(self) -> str:
        """In a line."""
        sets = (self.comparison.before, self.comparison.after)
        runs = " and ".join(f"{len(one.runs)} of {one.name}" for one in sets)
        return f"<{type(self).__name__}: runs {runs}, exit code {self.exit_code}>"


def compare(
    before: Runs | Sequence[Runs],
    after: Runs | Sequence[Runs],
    *,
    fail_if: Sequence[str] | str = (),
    anyway: bool = False,
) -> Compared:
    """Compare two sets of finished runs: `scorebench compare`, with its test and its exit codes.

    A set is one run, several, or a folder that holds runs. `fail_if` are changes such as "p99 +10% and +2ms".
    InputError for a folder without a run, a run in both sets, and runs of different loads, unless `anyway`.
    """
    from scorebench.folders import compared as folders

    sets = {"before": _paths(before, "before"), "after": _paths(after, "after")}
    both = {path.resolve() for path in sets["before"]} & {path.resolve() for path in sets["after"]}
    if both:
        raise InputError(f"compare: {min(both)} is in both sets; expected each run in one")
    gates = [fail_if] if isinstance(fail_if, str) else list(fail_if)
    found = folders.compared(sets, gates, anyway=anyway)
    return Compared(found.comparisons[0], tuple(found.warnings), found.exit_code)


def _paths(runs: Runs | Sequence[Runs], name: str) -> list[Path]:
    from scorebench.folders.run_sets import runs_in

    several = [runs] if isinstance(runs, Result | str | os.PathLike) else runs
    paths = [one.folder if isinstance(one, Result) else Path(one) for one in several]
    found = {run.resolve(): run for path in paths for run in runs_in(path)}
    if not found:
        raise InputError(f"compare: {name}: no run given; expected at least one")
    return list(found.values())
