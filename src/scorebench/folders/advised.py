"""What to change, from the folder of a run or of a sweep. Knows which rules apply, none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY, SOAK, SOAK_PARTS, SWEEP

if TYPE_CHECKING:
    from scorebench.advice.record import Advice


RUNS_BELOW = {
    SOAK: f"a soak; give one of its parts below {SOAK_PARTS}/",
    CAPACITY: "a search; give a step below steps/",
}
"""What holds runs, and gets no advice as a whole, by the file that it leaves."""


@dataclass(frozen=True)
class Advised:
    """The advice, most often none or one; `invalid`: why a run whose measurement is not valid gets none."""

    advice: tuple[Advice, ...]
    invalid: str | None = None

    def __str__(self) -> str:
        """What the command prints."""
        from scorebench.report import advice

        return advice.render(self.advice, self.invalid).rstrip()


def advised(path: Path) -> Advised:
    """The advice for the run or the sweep in `path`. InputError for whatever can't be read."""
    if (path / SWEEP).is_file():
        from scorebench.advice.sweep_rules import advise_sweep
        from scorebench.folders.sweeps import read_sweep

        return Advised(tuple(advise_sweep(read_sweep(path))))
    for name, what in RUNS_BELOW.items():
        if (path / name).is_file():
            raise InputError(f"{path}: advice is for a run or a sweep, and this is {what}")
    from scorebench.advice.record import Facts
    from scorebench.advice.rules import advise
    from scorebench.folders.finished import finished

    done = finished(path)
    facts = Facts(done.summary, done.recording, tuple(done.verdict.findings))
    return Advised(tuple(advise(facts)), facts.invalid)
