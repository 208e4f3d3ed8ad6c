"""Sets of run folders → what changed between them. Knows folders and the gates' exit code; prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scorebench.comparison.compare import Comparison, RunSet, compare
from scorebench.comparison.conditions import mismatches
from scorebench.errors import InputError
from scorebench.folders.finished import finished
from scorebench.report.words import plain
from scorebench.verdicts.limits import parse_threshold


@dataclass(frozen=True)
class Compared:
    """Each set against the first, and what a reader must know of the runs."""

    comparisons: tuple[Comparison, ...]
    warnings: list[str]

    @property
    def exit_code(self) -> int:
        """0: no gate failed; 3: one did; 4: none did, and one can't be decided."""
        gates = [gate.failed for one in self.comparisons for gate in one.gates]
        return 3 if True in gates else 4 if None in gates else 0


def compared(sets: Mapping[str, Sequence[Path]], fail_if: Sequence[str], *, anyway: bool) -> Compared:
    """The runs of each set, by its name, read and compared with those of the first.

    InputError for what can't be read, and for runs of different loads, unless they are compared `anyway`.
    """
    thresholds = [parse_threshold(text) for text in fail_if]
    found, warnings = [], []
    for name, paths in sets.items():
        runs = [finished(path) for path in paths]
        found.append(RunSet(name, tuple(run.summary for run in runs)))
        warnings += [f"{run.folder}: the measurement is not valid" for run in runs if not run.verdict.valid]
    warnings += _differences(found, anyway=anyway)
    return Compared(tuple(compare(found[0], after, thresholds) for after in found[1:]), warnings)


def _differences(sets: Sequence[RunSet], *, anyway: bool) -> list[str]:
    found = mismatches([run for one in sets for run in one.runs])
    if found and not anyway:
        raise InputError(
            f"compare: these runs differ in {plain('; '.join(found))}: they can't be compared. "
            "Measure both alike, or add --anyway."
        )
    return [f"the runs differ in {one}" for one in found]
