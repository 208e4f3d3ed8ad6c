"""`scorebench.advise` and `scorebench.plan`: what the commands print, from Python. Wiring."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.api.result import Result
from scorebench.errors import InputError
from scorebench.folders.advised import Advised, advised
from scorebench.folders.planned import DEFAULT_LIMIT, planned
from scorebench.sweeps.found import Sweep

if TYPE_CHECKING:
    from scorebench.plans.plan import Plan


def advise(measured: Result | Sweep | str | os.PathLike[str]) -> Advised:
    """What to change: `scorebench advise`, for what `run` or `sweep` returned, or for its folder.

    `Advised.advice` has a record for each rule that speaks up: rule, figure, change, gain, proof.
    `Advised.invalid` says why there is none. InputError for a folder without a finished run or sweep.
    """
    return advised(_folder(measured))


def plan(swept: Sweep | str | os.PathLike[str], rate: float | str, *, limit: str = DEFAULT_LIMIT) -> Plan:
    """How many workers `rate` calls a second need within `limit`: `scorebench plan`.

    `Plan.workers` lies between `low` and `high`. `workers` is None where no number of them is enough,
    `high` where nothing bounds it. Times are seconds. InputError for a sweep that can't tell.
    """
    return planned(_folder(swept), str(rate), limit, option="rate")


def _folder(measured: Result | Sweep | str | os.PathLike[str]) -> Path:
    if not isinstance(measured, Result | Sweep):
        return Path(measured)
    if not str(measured.folder):
        raise InputError("a sweep without a folder; expected what scorebench.sweep returned, or its folder")
    return Path(measured.folder)
